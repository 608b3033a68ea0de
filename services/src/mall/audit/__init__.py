"""The audit service: keeps what must be answered for in a chain that shows every later change."""
