"""A schema registry for Avro that every Confluent client takes for Confluent's, on SQLite or Postgres."""

from treaty.registry.server import serve as serve
from treaty.registry.settings import RegistrySettings as RegistrySettings
