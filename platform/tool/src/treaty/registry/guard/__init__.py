"""Between a visitor and the service: who asks, whether they may, and the store as they may see it."""
