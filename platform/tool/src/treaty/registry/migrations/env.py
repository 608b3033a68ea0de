"""Alembic's entry: runs revisions on the connection that ``upgrade`` was given."""

from __future__ import annotations

from alembic import context

from treaty.registry.sql.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
