"""Stores of every kind for the registry's tests, each one empty."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.treaty.registry.asking import asking
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.protocol import Store
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

TABLES = "contexts, subjects, schemas, versions, schema_references, configs, modes, principals, tokens, grants, audit"
SHARED = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def registry_postgres(postgres_server: str) -> Iterator[str]:
    """URL of a Postgres database with the registry's tables, shared by the tests of this worker."""
    base, _, database = postgres_server.rpartition("/")
    administration, name = f"{base}/{database}".replace("+psycopg", ""), f"registry_{os.getpid()}"
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    open_store(f"{base}/{name}", migrate=True).close()
    yield f"{base}/{name}"
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def registry_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the registry's tables, for copies: a copy costs less than the migrations do."""
    file = tmp_path_factory.mktemp("registry") / "empty.db"
    open_store(f"sqlite:///{file}", migrate=True).close()
    return file


@pytest.fixture
def url_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes the database URL of an empty store: ``url_of("sqlite")``, ``url_of("postgres")``."""

    def url(kind: str) -> str:
        if kind == "sqlite":
            file = tmp_path / "registry.db"
            if not file.exists():  # a second store of a test is on the same database
                shutil.copy(request.getfixturevalue("registry_sqlite"), file)
            return f"sqlite:///{file}"
        postgres: str = request.getfixturevalue("registry_postgres")
        with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"TRUNCATE {TABLES}")
            connection.execute("INSERT INTO contexts (name, last_id, created_at) VALUES ('.', 0, 0)")
            connection.execute("UPDATE registry_state SET directory_version = 0")  # or nobody would be let in
        return postgres

    return url


@pytest.fixture
def new_store(url_of: Callable[[str], str]) -> Iterator[Callable[[str], Store]]:
    """Makes an empty store: ``new_store("memory")``."""
    with ExitStack() as stack:

        def make(kind: str) -> Store:
            store = MemoryStore() if kind == "memory" else open_store(url_of(kind), migrate=True)
            stack.callback(store.close)
            return store

        yield make


@pytest.fixture(params=["memory", *SHARED])
def store(request: pytest.FixtureRequest, new_store: Callable[[str], Store]) -> Store:
    """An empty store of each kind in turn."""
    return new_store(request.param)


@pytest.fixture(params=SHARED)
def database(request: pytest.FixtureRequest, url_of: Callable[[str], str]) -> str:
    """The URL of an empty database of each kind in turn."""
    return url_of(request.param)


@pytest.fixture
def client(store: Store) -> Iterator[httpx.Client]:
    """An HTTP client of a registry on each kind of store."""
    with registry(store, settings=RegistrySettings()) as url, asking(url) as client:
        yield client
