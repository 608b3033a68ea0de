"""A rebuild on PostgreSQL that is killed where it waits for a lock of the test: the old rows are served, and the next one comes through."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from tests.e2e.company import Company
from tests.e2e.market import goods_on_sale, known_to, order
from tests.e2e.test_rebuild import TRIES, change, figures, rebuilding, rebuilt
from tests.parts.waiting import wait_until
from treaty.local.services import database_url

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
    pytest.mark.parametrize("running", ["postgres"], indirect=True),
]
AT_WORK = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7168364"
"""Whose connection holds the lock of a rebuild: `_REBUILD_LOCK` of `mall.shadow`."""
GATE = 2_026
"""An advisory lock that a planted trigger asks for."""
WAITS_FOR_HANDLERS = "SELECT pid FROM pg_locks WHERE NOT granted AND mode = 'ExclusiveLock' AND locktype = 'relation'"
WAITS_AT_GATE = f"SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND objid = {GATE}"  # noqa: S608  # an int
DAMAGE = {
    "order": ("UPDATE order_view SET pieces = pieces + 7", "DELETE FROM order_history"),
    "search": ("UPDATE search_goods SET title = 'wrong'", "DELETE FROM search_term"),
    "analytics": ("UPDATE counter SET value = value + 1000",),
}
LATER = {"order": "order_history", "search": "search_term", "analytics": "counter"}
"""A table that a swap writes when others are exchanged already, and that nobody else writes while nothing happens."""
PAGES = {"order": "/api/v1/orders", "search": "/api/v1/search"}
"""What shows the read model to a buyer."""


@pytest.mark.parametrize("name", DAMAGE)
def test_killed_while_it_waits_for_a_handler_it_leaves_the_old_rows_and_two_at_once_are_refused(
    company: Company, name: str
) -> None:
    with damaged(company, name) as assert_old:
        with holding(company, name, f"LOCK TABLE mall_{name}.inbox IN ROW EXCLUSIVE MODE"):
            process = met(company, name, WAITS_FOR_HANDLERS, is_frozen=True)
            code, said = rebuilt(company, name)
            killed(process)
            assert (code, "Another rebuild" in said) == (1, True), said
            assert_old()
        assert_old()


@pytest.mark.parametrize("name", DAMAGE)
def test_killed_in_the_middle_of_its_swap_it_leaves_the_old_rows(company: Company, name: str) -> None:
    with damaged(company, name) as assert_old:
        with gate(company, name), holding(company, name, f"SELECT pg_advisory_xact_lock({GATE})"):
            killed(met(company, name, WAITS_AT_GATE))
            assert_old()
        assert_old()


@contextmanager
def damaged(company: Company, name: str) -> Iterator[Callable[[], None]]:
    """A read model that says what no topic tells, and how to see that it still does; at the end one rebuild makes it right."""
    buyer, goods_id = company.new_user(), goods_on_sale(company, company.new_user())
    known_to(company, "order", goods_id)
    order(company, buyer, goods_id)
    company.settle()
    right = figures(company, name)
    change(company, name, *DAMAGE[name])
    old, page = figures(company, name), shown(company, name, buyer)
    assert old != right

    def assert_old() -> None:
        assert (figures(company, name), shown(company, name, buyer)) == (old, page)

    yield assert_old
    # The server learns of the client's death when it next speaks to it: at the end of its wait for the lock.
    wait_until(lambda: not company.rows(name, AT_WORK), 300)
    assert_old()
    code, said = rebuilt(company, name)
    assert code == 0, said
    assert figures(company, name) == right


def shown(company: Company, name: str, buyer: int) -> object:
    """What the running service answers from its read model."""
    if name not in PAGES:
        return None
    answer = company.call(name, "GET", PAGES[name], user=buyer)
    assert answer.status_code == 200, answer.text
    return answer.json()


@contextmanager
def holding(company: Company, name: str, lock: str) -> Iterator[None]:
    """A transaction of somebody else, which has taken a lock and takes its time."""
    engine = create_engine(database_url(name, company.layout), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(lock))
        yield


@contextmanager
def gate(company: Company, name: str) -> Iterator[None]:
    """Whoever writes this table of the model asks for the gate's lock first."""
    asks = f"BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NULL; END"
    statement = f"BEFORE INSERT OR UPDATE OR DELETE ON {LATER[name]} FOR EACH STATEMENT EXECUTE FUNCTION ask_gate()"
    change(
        company,
        name,
        f"CREATE FUNCTION ask_gate() RETURNS trigger LANGUAGE plpgsql AS '{asks}'",
        f"CREATE TRIGGER gate {statement}",
    )
    try:
        yield
    finally:
        change(company, name, f"DROP TRIGGER gate ON {LATER[name]}", "DROP FUNCTION ask_gate()")


def met(company: Company, name: str, waits: str, *, is_frozen: bool = False) -> subprocess.Popen[str]:
    """A rebuild that waits for the lock now. It tries five times, three seconds each; one that gave up is followed by another."""
    engine = create_engine(database_url(name, company.layout), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as server:
        for _ in range(TRIES):
            process = rebuilding(company, name)
            wait_until(partial(has_ended_or_waits, process, server, f"{AT_WORK} AND pid IN ({waits})"), 600)
            if is_frozen and process.poll() is None:
                process.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if process.poll() is None and server.execute(text(AT_WORK)).all():
                return process
            process.kill()
            process.communicate()
    pytest.fail(f"No rebuild of {name} was met at work.")


def has_ended_or_waits(process: subprocess.Popen[str], server: Connection, sql: str) -> bool:
    """Whether there is nothing more to wait for."""
    return process.poll() is not None or bool(server.execute(text(sql)).all())


def killed(process: subprocess.Popen[str]) -> None:
    """SIGKILL; it must not have ended by itself before."""
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
