"""A schema registry for Avro that every Confluent client takes for Confluent's, on SQLite or Postgres."""

from __future__ import annotations

from treaty.registry.settings import RegistrySettings as RegistrySettings


def serve(settings: RegistrySettings) -> int:
    """Run the registry until SIGTERM or SIGINT; answers the exit code: 0 stopped, 2 refused, 3 no database or no port.

    It says on stderr where it listens, or why it does not.
    """
    # Late: the web framework and the database library take seconds to import, and most importers want neither.
    from treaty.registry.process import server  # noqa: PLC0415  # for the reason above

    return server.serve(settings)
