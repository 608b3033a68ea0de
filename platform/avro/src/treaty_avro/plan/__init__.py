"""Everything about a class and a writer's schema, decided once and written down as a flat plan."""
