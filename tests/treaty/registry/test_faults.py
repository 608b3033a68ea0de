"""A database that is away, broken or locked: said so, at once enough, and nothing is acknowledged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import httpx
import psycopg
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asked, asking
from tests.treaty.registry.test_store_conformance import add
from treaty.registry.errors import StoreConflict, StoreUnavailable
from treaty.registry.names import Name
from treaty.registry.rows import Reference
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.sql.postgres import Postgres
from treaty.registry.stores.sql.sqlite import Sqlite
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

INT = {"schema": '"int"'}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the registry of ``broken`` keeps its data."""
    return tmp_path / "r.db"


@pytest.fixture
def broken(file: Path) -> Iterator[httpx.Client]:
    """A client of a registry whose SQLite file a test breaks."""
    with (
        registry(open_store(f"sqlite:///{file}", migrate=False)) as url,
        asking(url) as client,
    ):
        yield client


def run(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_broken_database_is_said_to_be_away(broken: httpx.Client, file: Path) -> None:
    run(file, "ALTER TABLE schemas RENAME TO gone")
    for answer in (broken.get("/schemas/ids/1"), broken.post("/subjects/s/versions", json=INT)):
        assert answer.status_code == 503
        assert answer.json() == {"error_code": 50001, "message": "Error in the backend data store"}
        assert answer.headers["retry-after"] == "1"
    run(file, "ALTER TABLE gone RENAME TO schemas")
    assert broken.post("/subjects/s/versions", json=INT).json()["id"] == 1


def test_a_database_behind_our_revision_is_not_ready(broken: httpx.Client, file: Path) -> None:
    assert broken.get("/readyz").json() == {"database": "ok", "migrations": "ok"}
    run(file, "UPDATE alembic_version SET version_num = '0000'")
    answer = broken.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "behind: 0000 < 0003")
    assert broken.get("/master_available").json() == {"master_available": False}
    assert broken.get("/healthz").status_code == 200


def test_a_process_goes_on_when_a_newer_release_has_migrated(broken: httpx.Client, file: Path) -> None:
    run(file, "UPDATE alembic_version SET version_num = '9999'")
    answer = broken.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (200, "ahead: 9999 > 0003")
    assert broken.post("/subjects/s/versions", json=INT).status_code == 200


def test_a_lock_that_does_not_end_is_given_up(broken: httpx.Client, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = broken.post("/subjects/s/versions", json=INT)
        assert (answer.status_code, answer.json()["error_code"]) == (503, 50001)
        other.execute("ROLLBACK")
    assert broken.post("/subjects/s/versions", json=INT).json()["id"] == 1


def test_a_full_disk_is_said_so_and_nothing_is_acknowledged_that_did_not_fit(file: Path) -> None:
    """SQLite's own limit of pages stands for the disk: it answers the same SQLITE_FULL."""

    def small_disk(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 120")

    event.listen(Engine, "connect", small_disk)
    acknowledged: dict[str, int] = {}
    try:
        with (
            registry(open_store(f"sqlite:///{file}", migrate=True)) as url,
            asking(url) as client,
        ):
            answer = client.post("/subjects/s0/versions", json=large(0))
            while answer.status_code == 200:
                acknowledged[f"s{len(acknowledged)}"] = answer.json()["id"]
                answer = client.post(f"/subjects/s{len(acknowledged)}/versions", json=large(len(acknowledged)))
            assert (answer.status_code, answer.json()["error_code"]) == (503, 50001)
            assert client.get("/subjects").json() == sorted(acknowledged)
    finally:
        event.remove(Engine, "connect", small_disk)
    with (
        registry(open_store(f"sqlite:///{file}", migrate=True)) as url,
        asking(url) as client,
    ):
        assert {name: client.get(f"/subjects/{name}/versions/1").json()["id"] for name in acknowledged} == acknowledged
        new = client.post("/subjects/new/versions", json=large(-1)).json()
        assert new["id"] == max(acknowledged.values()) + 1, "there is room again"


def large(number: int) -> dict[str, str]:
    return {"schema": f'{{"type":"record","name":"T","doc":"{number}{"x" * 20_000}","fields":[]}}'}


@pytest.mark.postgres
def test_a_database_that_is_read_only_refuses_and_goes_on_when_it_is_not(postgres: str) -> None:
    store = open_store(postgres, migrate=True)
    with (
        registry(store) as url,
        asking(url) as client,
        psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection,
    ):
        assert client.post("/subjects/s/versions", json=INT).json()["id"] == 1
        name = connection.info.dbname
        for is_on in ("on", "off"):
            connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {is_on}')
            cut_others(connection)
            wait_until(lambda: client.get("/subjects").status_code == 200)
            answer = client.post("/subjects/t/versions", json={"schema": '"string"'})
            if is_on == "on":
                assert (answer.status_code, answer.json()["error_code"]) == (503, 50001)
                assert client.get("/subjects").json() == ["s"]
            else:
                wait_until(lambda: client.post("/subjects/t/versions", json={"schema": '"string"'}).status_code == 200)


@pytest.mark.postgres
def test_cut_connections_come_back(postgres: str) -> None:
    store = open_store(postgres, migrate=True)
    with registry(store) as url, asking(url) as client:
        client.post("/subjects/s/versions", json=INT)
        with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
            cut_others(connection)
        answers = [client.get("/subjects/s/versions") for _ in range(3)]
        assert all(answer.status_code in (200, 503) for answer in answers)
        assert answers[-1].json() == [1]


def cut_others(connection: psycopg.Connection) -> None:
    """Ends all other connections to the database, and waits until they are: being told to end is not to have ended."""
    connection.execute(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_an_error_of_ours_is_answered_with_the_request_id_alone() -> None:
    class Bug(MemoryStore):
        def read(self) -> NoReturn:
            raise ZeroDivisionError("secret detail")

    with registry(Bug()) as url:
        answer = asked("GET", f"{url}/subjects", headers={"X-Request-Id": "r-1"})
    assert answer.status_code == 500
    assert answer.json() == {"error_code": 50001, "message": "Error in the backend data store (request r-1)"}


def test_the_database_itself_keeps_what_is_referred_to(database: str) -> None:
    store = open_store(database, migrate=True)
    target, referrer = Name(".", "t"), Name(".", "r")
    with store.write(target) as writer:
        add(writer, target, 1, "one")
    with store.write(referrer, [target]) as writer:
        add(writer, referrer, 1, "refers", Reference("n", "t", 1))

    def remove_anyway() -> None:
        with store.write(target) as writer:
            writer.remove(target, [1])

    with pytest.raises((StoreConflict, StoreUnavailable)):
        remove_anyway()
    with store.read() as reader:
        assert reader.version(target, 1) is not None
    store.close()


def test_a_read_that_cannot_begin_is_named_like_other_faults(tmp_path: Path) -> None:
    database = Sqlite(make_url(f"sqlite:///{tmp_path}/registry.db"))
    with database.reading() as connection:
        driver = connection.connection.driver_connection
    assert driver is not None
    driver.close()
    with pytest.raises(SQLAlchemyError), database.reading():
        pass
    database.close()


@pytest.mark.postgres
def test_a_statement_that_hangs_is_given_up_and_leaves_nothing(postgres: str) -> None:
    """Another's lock on the table keeps it; without a limit of its own it would wait for as long as the lock is held."""
    store = open_store(postgres, migrate=True)
    with registry(store) as url, asking(url) as client:
        assert client.post("/subjects/s/versions", json=INT).json()["id"] == 1
        with psycopg.connect(postgres.replace("+psycopg", "")) as other:
            other.execute("LOCK TABLE versions, schemas IN ACCESS EXCLUSIVE MODE")
            with ThreadPoolExecutor(
                2
            ) as both:  # the registry's own limit is five seconds: side by side they cost them once
                reading = both.submit(client.get, "/subjects/s/versions")
                writing = both.submit(client.post, "/subjects/t/versions", json=INT)
            for answer in (reading.result(), writing.result()):
                assert answer.status_code == 503
                assert answer.json() == {"error_code": 50001, "message": "Error in the backend data store"}
                assert answer.headers["retry-after"] == "1"
            other.rollback()
        assert client.get("/subjects").json() == ["s"], "what was given up was not done after all"
        assert client.post("/subjects/t/versions", json=INT).json()["id"] == 1


@pytest.mark.postgres
def test_it_is_the_database_that_gives_a_statement_up(postgres: str) -> None:
    """Else it would go on there, with its locks, when nobody waits for it any more."""
    database = Postgres(make_url(postgres))
    try:
        with (
            pytest.raises(DBAPIError) as caught,
            database.writing(Name(".", "s"), ()) as connection,
        ):
            connection.exec_driver_sql("SELECT pg_sleep(60)")
    finally:
        database.close()
    assert isinstance(caught.value.orig, psycopg.errors.QueryCanceled)
    assert not database.is_conflict(caught.value), "to decide anew at once would hang again, five times"
