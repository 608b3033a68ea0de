"""Real servers for tests: each is started when the first test asks for it, and ends with the run."""

from __future__ import annotations

import atexit
import faulthandler
import gc
import itertools
import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key
from hypothesis import HealthCheck, settings

from tests.parts import containers, waiting
from tests.parts.backend import NAMES, choose, missing, refusal
from treaty.local.errors import LocalFault
from treaty.local.machine import Machine
from treaty.local.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.parts.secured_kafka import GuardedKafka
    from treaty.local.smtp import MailSink

NUMBERS = itertools.count()
MACHINE = Machine(env=dict(os.environ))
REDIS_DATABASES = 16
GONE_MILLISECONDS = 30_000
CLOSING_SECONDS = 900
ROOT = Path(__file__).resolve().parent.parent

# No example is timed: on a machine with more to do than cores, each may take any time.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Ends the run at once when servers were wished for that cannot be had; lets signals be heard.

    A shell starts what runs in the background, and `nohup` what it runs, with signals ignored; children would inherit that.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    if sentence := refusal(MACHINE):
        pytest.exit(sentence, returncode=4)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Ends a process that hangs while it closes what a test had open: a time-out strikes once, and the run would wait for ever."""
    stderr = item.config.stash[fault_handler_stderr_fd_key]  # the process's own, whatever is captured now
    faulthandler.dump_traceback_later(CLOSING_SECONDS, exit=True, file=stderr)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keeps the garbage collector from walking through the million objects of all tests, of which none goes before the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        atexit.register(gc.unfreeze)  # for the interpreter's own last collection, else extensions tell of leaks
        gc.enable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Ends the run where marks of groups have no effect: each worker would start a company of its own."""
    marked = [item for item in session.items if item.get_closest_marker("xdist_group")]
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in marked):
        pytest.exit("pytest-xdist does not group tests under this pytest: install the locked versions", returncode=4)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Says how a run that failed is repeated: its order is random."""
    seed = config.getoption("randomly_seed", default=None)
    if exitstatus and seed is not None:
        terminalreporter.write_line(f"For the same order again: PYTEST_ADDOPTS=--randomly-seed={seed}")


def pytest_report_header() -> list[str]:
    """Which servers the tests would run on, and why."""
    return [f"{name}: {choose(name, MACHINE).why}" for name in NAMES]


@pytest.fixture(scope="session")
def machine() -> Machine:
    """This machine, with the environment that the run began with."""
    return MACHINE


@pytest.fixture(scope="module")
def chromium(machine: Machine) -> Iterator[Browser]:
    """A Chromium for the tests of a module. It keeps a loop in this thread, so none of them may want one of its own."""
    from tests.e2e.browser import NoBrowser, browser

    try:
        with browser(machine) as started:
            yield started
    except NoBrowser as fault:
        missing(fault, machine.env)


@pytest.fixture(scope="session")
def parts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for the servers' data."""
    return tmp_path_factory.mktemp("parts")


@pytest.fixture(scope="session")
def kafka(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of a broker that all tests of all workers share: take names of your own (``unique``)."""

    def local() -> AbstractContextManager[str]:
        from tests.parts.shared_kafka import shared_kafka

        base = tmp_path_factory.getbasetemp()  # with xdist a folder of the worker's own in the run's
        run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        return shared_kafka(run / "kafka", env={**machine.env, "PYTHONPATH": str(ROOT)})

    with server("kafka", machine, local=local) as address:
        yield address


@pytest.fixture(scope="module")
def guarded(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    """A broker that checks rights, of which nobody has one at first."""
    from tests.parts.secured_kafka import GuardedKafka

    broker = GuardedKafka(tmp_path_factory.mktemp("guarded"), machine=machine)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def postgres_server(machine: Machine, parts_folder: Path) -> Iterator[str]:
    """SQLAlchemy address of a PostgreSQL that does not wait for the disk; ``postgres`` gives a database of your own."""

    @contextmanager
    def local() -> Iterator[str]:
        from treaty.local.postgres import Postgres

        started = Postgres(parts_folder / "postgres", machine=machine, durable=False).start()
        yield started.url()
        started.stop()

    with server("postgres", machine, local=local) as address:
        yield address


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[str]:
    """SQLAlchemy address of the database that ``postgres`` empties: to make and drop one for each test costs hundreds of files."""
    import psycopg

    name = f"test_{os.getpid()}"
    with psycopg.connect(postgres_server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield f"{postgres_server.rpartition('/')[0]}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres(postgres_database: str) -> Iterator[str]:
    """SQLAlchemy address (``postgresql+psycopg://``) of an empty database that only this test has."""
    yield postgres_database
    # Connections that a cancelled task left go here: collected in the middle of `ast.parse`, the greenlet that ends one breaks it
    # (CPython 3.11, gh-106905), and a test fails that has nothing to do with it.
    gc.collect(1)
    empty(postgres_database)


def empty(database: str) -> None:
    """Ends whoever is still connected to a PostgreSQL database and leaves it as it was made."""
    import psycopg

    writable = "-c default_transaction_read_only=off"
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True, options=writable) as connection:
        connection.execute(f'ALTER DATABASE "{connection.info.dbname}" RESET ALL')
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        for (pid,) in connection.execute(others).fetchall():
            connection.execute("SELECT pg_terminate_backend(%s, %s)", (pid, GONE_MILLISECONDS))
        schemas = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg!_%' ESCAPE '!' AND nspname <> 'information_schema'"
        ).fetchall()
        for (name,) in schemas:
            connection.execute(f'DROP SCHEMA "{name}" CASCADE')
        connection.execute("CREATE SCHEMA public AUTHORIZATION pg_database_owner")
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        connection.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")


@pytest.fixture(scope="session")
def redis_server(machine: Machine, parts_folder: Path) -> Iterator[str]:
    """Address of a Redis without its database number; use ``redis`` for an empty database."""

    @contextmanager
    def local() -> Iterator[str]:
        from treaty.local.redis import Redis

        started = Redis(parts_folder / "redis", machine=machine, durable=False).start()
        yield started.url.rpartition("/")[0]
        started.stop()

    with server("redis", machine, local=local) as address:
        yield address.rstrip("/")


@contextmanager
def server(name: str, machine: Machine, *, local: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """The address of one server from the chosen backend; without one the test is skipped, in CI it fails."""
    backend = choose(name, machine)
    if backend.fault:
        missing(backend.fault, machine.env)
    given: AbstractContextManager[str] = nullcontext(backend.address)
    if backend.kind == "container":
        given = containers.container(name)
    if backend.kind == "local":
        given = local()
    try:
        with given as address:
            yield address
    except LocalFault as fault:
        missing(fault, machine.env)


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
