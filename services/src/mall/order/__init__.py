"""The order service: places orders, owns the stock, and tells the life of every order."""
