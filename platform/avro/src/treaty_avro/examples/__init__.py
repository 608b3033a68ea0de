"""Values made up from a schema and a seed."""
