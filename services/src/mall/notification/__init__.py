"""The notification service: tells people what happened, in their inbox and on their screens."""
