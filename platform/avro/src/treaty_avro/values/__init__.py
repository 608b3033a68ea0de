"""Between bytes and Python values: numbers on the wire, and what logical types mean."""
