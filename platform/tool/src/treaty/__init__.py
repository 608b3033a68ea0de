"""treaty: the schemas in git are the treaty between producers and consumers."""

__version__ = "0.1.0"
