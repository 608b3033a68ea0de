"""Starting: safely, or not at all and with a reason."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from treaty.registry.errors import StartRefused
from treaty.registry.names import Name
from treaty.registry.process.server import serve
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.sql.store import open_store

FIRST_RELEASE = {
    "subjects": "'.', 's', 1",
    "schemas": "'.', 1, '\"int\"', NULL, NULL, NULL, :hash, :hash, 'g', :first, 1",
    "versions": "'.', 's', 1, 1, :hash, :deleted, 1, NULL, ''",
}
"""A schema as the first release stored it, column by column."""


def refusal(settings: RegistrySettings) -> tuple[int, str]:
    said: list[str] = []
    return serve(settings, say=said.append), "".join(said)


def test_without_credentials_only_this_machine_is_served(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/r.db"
    code, said = refusal(RegistrySettings(host="0.0.0.0", port=0, database=database))  # noqa: S104  # that it is refused
    assert code == 2
    assert "--insecure-no-auth" in said
    RegistrySettings(host="0.0.0.0", insecure_no_auth=True).require_credentials(are_there=False)  # noqa: S104  # asked for by name


def test_a_busy_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refusal(RegistrySettings(port=port, database=f"sqlite:///{tmp_path}/r.db"))
    assert code == 3
    assert f"127.0.0.1:{port}" in said


@pytest.mark.parametrize(
    ("url", "code"),
    [("nonsense", 2), ("mysql://x/y", 2), ("postgresql://nobody:secret@127.0.0.1:1/none", 3)],
)
def test_a_database_that_cannot_be_used_is_refused_without_its_password(url: str, code: int) -> None:
    answer, said = refusal(RegistrySettings(port=0, database=url))
    assert answer == code
    assert "secret" not in said


@pytest.mark.postgres
def test_postgres_is_migrated_only_when_asked(postgres: str) -> None:
    with pytest.raises(StartRefused, match=r"at revision none, this program needs 0003.*--migrate") as refused:
        open_store(postgres, migrate=False)
    assert refused.value.exit_code == 3
    open_store(postgres, migrate=True).close()
    open_store(postgres, migrate=False).close()


def test_a_database_from_the_future_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/r.db"
    open_store(url, migrate=False).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StartRefused, match=r"9999"):
        open_store(url, migrate=False)


def test_a_database_of_each_release_is_brought_up_with_what_it_holds(database: str) -> None:
    """The first release's tables, with a schema in them as it stored it."""
    open_store(database, migrate=True).close()
    engine = create_engine(database)
    with engine.begin() as connection:
        for table in ("tokens", "principals", "grants", "audit"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("ALTER TABLE registry_state DROP COLUMN directory_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        told = {"hash": b"\0", "first": True, "deleted": False}
        for table, values in FIRST_RELEASE.items():
            used = {key: value for key, value in told.items() if f":{key}" in values}
            connection.execute(text(f"INSERT INTO {table} VALUES ({values})"), used)  # noqa: S608  # our own table above
    engine.dispose()
    store = open_store(database, migrate=True)
    with store.read() as reader:
        row = reader.version(Name(".", "s"), 1)
        assert row is not None
        found = reader.schema(".", row.schema_id)
    assert found is not None
    assert found.content.text == '"int"'
    assert store.directory().has_credentials is False
    assert store.audit() == []
    store.close()


def test_the_tables_are_what_the_migrations_make(database: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from treaty.registry.stores.sql.tables import METADATA

    open_store(database, migrate=True).close()
    engine = create_engine(database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


@pytest.mark.parametrize("wrong", [{"port": -1}, {"port": 65_536}, {"wire_profile": "9"}])
def test_settings_that_make_no_sense_stop_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(StartRefused) as refused:
        RegistrySettings(**wrong).require_sense()
    assert refused.value.exit_code == 2
