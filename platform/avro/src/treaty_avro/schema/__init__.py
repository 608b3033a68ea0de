"""A text becomes a schema: JSON with places, names, types, defaults, references."""
