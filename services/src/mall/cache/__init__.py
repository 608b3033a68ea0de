"""The cache service: goods, stock and the hot ranking in Redis."""
