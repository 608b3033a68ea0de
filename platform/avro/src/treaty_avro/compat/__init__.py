"""May a version follow? Java's comparison of two schemas, levels over a history, Confluent's words."""
