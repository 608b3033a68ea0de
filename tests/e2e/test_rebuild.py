"""Read models are made anew beside running services: under load, beside each other, and killed in the middle."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import Random

import pytest
import sqlalchemy
from redis import Redis

from mall import REBUILDS
from mall.cache.scripts import BUILDING
from tests.e2e.company import Company
from tests.e2e.ledger import Ledger
from tests.e2e.load import Load
from tests.e2e.market import goods_on_sale, known_to, order
from tests.e2e.test_analytics import assert_recount
from tests.e2e.test_kills import assert_projections_agree
from tests.parts.waiting import wait_until
from treaty.local.program import Program
from treaty.local.services import database_url

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
TRIES = 10
FIGURES = {
    "order": (
        "SELECT order_id, status, version, pieces FROM order_view",
        "SELECT order_id, version FROM order_history",
    ),
    "search": ("SELECT goods_id, version, title, is_for_sale FROM search_goods", "SELECT * FROM search_term"),
    # Each minute the running service packs what waits into a file: both together are what the warehouse holds.
    "analytics": (
        "SELECT name, minute, value FROM counter",
        "SELECT (SELECT coalesce(sum(rows), 0) FROM warehouse_file) + (SELECT count(*) FROM warehouse_row)",
    ),
}


def rebuilding(company: Company, name: str) -> subprocess.Popen[str]:
    """The command as a process beside the service, with the service's own environment."""
    part = company.part(name)
    assert isinstance(part, Program)
    return subprocess.Popen(
        [*part.argv, "rebuild"], env=dict(part.env), cwd=part.folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def rebuilt(company: Company, name: str) -> tuple[int, str]:
    """How a rebuild ended, and all it said."""
    process = rebuilding(company, name)
    output, errors = process.communicate(timeout=600)
    assert "Traceback" not in errors, errors
    return process.returncode, output + "\n".join(line for line in errors.splitlines() if not line.startswith("{"))


def change(company: Company, service: str, *statements: str) -> None:
    """Write into a service's tables behind its back."""
    url = sqlalchemy.make_url(database_url(service, company.layout))
    if company.layout.database == "postgres":
        url = url.update_query_dict({"options": f"-csearch_path=mall_{service}"})
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args={})
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sqlalchemy.text(statement))


@contextmanager
def redis_of(company: Company) -> Iterator[Redis]:
    """The company's Redis."""
    client = Redis(port=company.layout.ports["redis"], decode_responses=True)
    try:
        yield client
    finally:
        client.close()


def figures(company: Company, name: str) -> list[object]:
    """What a read model says; for the cache every key of goods, stock and days."""
    if name != "cache":
        return [sorted(map(tuple, company.rows(name, sql))) for sql in FIGURES[name]]
    with redis_of(company) as redis:
        kept = sorted(key for key in redis.scan_iter("mall:*") if not key.startswith(("mall:new:", "mall:hot:7d")))
        return [
            redis.zrange(key, 0, -1, withscores=True) if redis.type(key) == "zset" else redis.hgetall(key)
            for key in kept
            if redis.type(key) != "set"
        ]


def damage(company: Company) -> None:
    """Make every read model wrong in both directions: things are missing, and things are there that never were."""
    change(company, "order", "DELETE FROM order_history", "UPDATE order_view SET pieces = pieces + 7, version = 0")
    change(company, "search", "DELETE FROM search_term", "UPDATE search_goods SET title = 'wrong'")
    change(company, "analytics", "UPDATE counter SET value = value + 1000", "DELETE FROM warehouse_row")
    change(company, "analytics", "UPDATE warehouse_file SET rows = rows + 5")
    with redis_of(company) as redis:
        for key in redis.scan_iter("mall:hot:2*"):
            redis.zincrby(key, 5000, "1")
        for key in list(redis.scan_iter("mall:stock:*"))[:3]:
            redis.delete(key)


@pytest.mark.parametrize("running", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_a_rebuild_under_load_ends_with_what_the_sources_say(company: Company) -> None:
    load = Load(company, goods=6, pieces=400, buyers=3, rng=Random(7))
    with load:
        wait_until(lambda: len(load.keys) >= 20 or load.faults, 300)
        damage(company)
        for name in REBUILDS:
            before = len(load.keys)
            code, said = rebuilt(company, name)
            print(said)
            assert (code, "the read model" in said) == (0, True), said
            wait_until(partial(goes_on, load, since=before))
    company.settle()
    assert not load.faults
    assert_recount(company)
    assert_projections_agree(company, Ledger(company, goods=load.goods))
    titles = {row.id: row.title for row in company.rows("goods", "SELECT id, title FROM goods")}
    assert {
        row.goods_id: row.title for row in company.rows("search", "SELECT goods_id, title FROM search_goods")
    } == titles
    assert company.rows("search", "SELECT count(*) FROM search_term")[0][0] > 0
    steps = company.rows("order", "SELECT order_id, max(version) AS version FROM order_history GROUP BY order_id")
    assert {row.order_id: row.version for row in steps} == {
        row.id: row.version for row in company.rows("order", "SELECT id, version FROM orders")
    }
    settled = {name: figures(company, name) for name in REBUILDS if name != "analytics"}
    for name, told in settled.items():
        assert rebuilt(company, name)[0] == 0
        assert figures(company, name) == told, name


def goes_on(load: Load, *, since: int) -> bool:
    """Whether more orders were placed, or something is wrong."""
    return len(load.keys) > since or bool(load.faults)


@pytest.mark.parametrize("name", REBUILDS)
def test_a_killed_rebuild_leaves_the_old_model_and_two_at_once_are_refused(company: Company, name: str) -> None:
    goods_id = goods_on_sale(company, company.new_user())
    known_to(company, "order", goods_id)
    order(company, company.new_user(), goods_id)
    company.settle()
    before = figures(company, name)
    with stopped_in_the_middle(company, name):
        code, said = rebuilt(company, name)
        assert (code, "Another rebuild" in said) == (1, True), said
    assert figures(company, name) == before
    wait_until(lambda: company.is_well(name))  # on SQLite it may have waited for the frozen one
    wait_until(lambda: rebuilt(company, name)[0] == 0, 600)  # the cache's mark outlives its rebuild by seconds
    assert figures(company, name) == before


@contextmanager
def stopped_in_the_middle(company: Company, name: str) -> Iterator[None]:
    """A rebuild that is frozen while it is at work, and killed at the end; one that was over too soon is followed by another."""
    for _ in range(TRIES):
        process = rebuilding(company, name)
        try:
            if is_frozen_at_work(process, company, name):
                with kept_mark(company, name):
                    yield
                return
        finally:
            process.kill()
            process.communicate()
    pytest.fail(f"No rebuild of {name} was met at work.")


def is_frozen_at_work(process: subprocess.Popen[str], company: Company, name: str) -> bool:
    """Freezes the process once it is at work; False if it was over before."""
    wait_until(lambda: process.poll() is not None or is_held(company, name), deadline=600)
    process.send_signal(signal.SIGSTOP)
    if process.returncode is None:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    return process.poll() is None and is_held(company, name)


@contextmanager
def kept_mark(company: Company, name: str) -> Iterator[None]:
    """What a rebuild of the cache does all along, which a frozen one cannot: the mark would end after seconds."""
    if name != "cache":
        yield
        return
    with redis_of(company) as redis:
        left = redis.pttl(BUILDING)
        redis.persist(BUILDING)
        try:
            yield
        finally:
            redis.pexpire(BUILDING, max(left, 1))


def is_held(company: Company, name: str) -> bool:
    """Whether a rebuild is at work now."""
    if name == "cache":
        with redis_of(company) as redis:
            return bool(redis.exists(BUILDING))
    held = os.open(company.layout.data / f"{name}.db.rebuild", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False
