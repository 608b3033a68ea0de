"""The registry's data in SQLite or Postgres."""
