"""Real servers for tests: each is started when the first test asks for it, and ends with the run."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.parts import waiting
from tests.parts.backend import choose, missing
from treaty.local.errors import LocalFault
from treaty.local.machine import Machine
from treaty.local.ports import free_port

if TYPE_CHECKING:
    from treaty.local.postgres import Postgres
    from treaty.local.smtp import MailSink

NUMBERS = itertools.count()
MACHINE = Machine(env=dict(os.environ))
REDIS_DATABASES = 16
ROOT = Path(__file__).resolve().parent.parent


def pytest_report_header() -> list[str]:
    """Which servers the tests would run on, and why."""
    return [f"{name}: {choose(name, MACHINE).why}" for name in ("kafka", "postgres", "redis")]


@pytest.fixture(scope="session")
def machine() -> Machine:
    """This machine, with the environment that the run began with."""
    return MACHINE


@pytest.fixture(scope="session")
def parts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for the servers' data."""
    return tmp_path_factory.mktemp("parts")


@pytest.fixture(scope="session")
def kafka(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of a broker that all tests of all workers share: take names of your own (``unique``)."""
    from tests.parts.shared_kafka import shared_kafka

    if address := choose("kafka", machine).address:
        yield address
        return
    base = tmp_path_factory.getbasetemp()  # with xdist a folder of the worker's own in the run's
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    try:
        with shared_kafka(run / "kafka", env={**machine.env, "PYTHONPATH": str(ROOT)}) as bootstrap:
            yield bootstrap
    except LocalFault as fault:
        missing(fault, machine.env)


@pytest.fixture(scope="session")
def postgres_server(machine: Machine, parts_folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL that does not wait for the disk; use ``postgres`` for a database of your own."""
    from treaty.local.postgres import Postgres

    try:
        server = Postgres(parts_folder / "postgres", machine=machine, durable=False).start()
    except LocalFault as fault:
        missing(fault, machine.env)
        return
    yield server
    server.stop()


@pytest.fixture
def postgres(request: pytest.FixtureRequest, machine: Machine) -> Iterator[str]:
    """SQLAlchemy address (``postgresql+psycopg://``) of an empty database that only this test has."""
    import psycopg

    given = choose("postgres", machine).address
    url: str = given or request.getfixturevalue("postgres_server").url()
    base, _, database = url.rpartition("/")
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    administration = f"{base}/{database}".replace("+psycopg", "")
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield f"{base}/{name}"
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def redis_server(machine: Machine, parts_folder: Path) -> Iterator[str]:
    """Address of a Redis without its database number; use ``redis`` for an empty database."""
    from treaty.local.redis import Redis

    if address := choose("redis", machine).address:
        yield address.rstrip("/")
        return
    try:
        server = Redis(parts_folder / "redis", machine=machine, durable=False).start()
    except LocalFault as fault:
        missing(fault, machine.env)
        return
    yield server.url.rpartition("/")[0]
    server.stop()


@pytest.fixture
def redis(redis_server: str) -> str:
    """Address of an empty Redis database; tests of one worker run one after another, so FLUSHALL harms nobody."""
    import redis as client

    url = f"{redis_server}/{next(NUMBERS) % REDIS_DATABASES}"
    with client.Redis.from_url(url) as connection:
        connection.flushdb()
    return url


@pytest.fixture
def registry() -> Iterator[str]:
    """Address of an empty schema registry of the test's own, which keeps everything in memory."""
    from treaty.registry.testing import registry as serve

    with serve() as url:
        yield str(url)


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[MailSink]:
    """A mail server of the test's own (``smtp_port`` on 127.0.0.1); what arrived: ``smtp.folder.mails()``."""
    from treaty.local.smtp import MailSink

    with MailSink(tmp_path / "mail", smtp_port=free_port(), http_port=0) as sink:
        yield sink


@pytest.fixture
def port() -> int:
    """A free port on loopback."""
    return free_port()


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Makes names that nobody else on the shared broker has: ``unique("orders")``."""
    return lambda stem: f"{stem}-{os.getpid()}-{next(NUMBERS)}"


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., object]:
    """``wait_until(condition, deadline=30)``; asynchronous tests: ``await tests.parts.waiting.eventually(condition)``."""
    return waiting.wait_until
