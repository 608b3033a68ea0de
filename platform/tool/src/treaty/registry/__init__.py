"""A schema registry for Avro that every Confluent client takes for Confluent's, on SQLite or Postgres."""
