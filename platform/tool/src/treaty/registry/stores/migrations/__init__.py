"""Bringing the tables to the revision of this program: Alembic, one line of revisions, upwards only."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Run the missing revisions in the transaction of ``connection``."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def newest_revision() -> str:
    """The revision that this program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def is_known(revision: str) -> bool:
    """True if this program has that revision; "" (no tables yet) counts."""
    scripts = ScriptDirectory.from_config(_config())
    return not revision or any(script.revision == revision for script in scripts.walk_revisions())


def revision_of(connection: Connection) -> str:
    """The revision that a database has; "" for none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
