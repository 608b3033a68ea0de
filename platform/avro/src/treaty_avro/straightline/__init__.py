"""The Python back end: a plan becomes source without loops over its nodes, the source two functions."""
