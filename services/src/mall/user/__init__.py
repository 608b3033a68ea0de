"""The user service: opens accounts, checks passwords, signs tokens, and tells the life of every account."""
