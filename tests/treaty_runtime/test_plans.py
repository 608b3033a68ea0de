"""What is asked again and again costs as much as its answer, not as much as the table: plans, on tables that nobody analyzed lately."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from treaty_runtime.delay.jobs import CLEAN, DUE, READY
from treaty_runtime.event import Place
from treaty_runtime.publish.backlog import DELETE, READ, Backlog
from treaty_runtime.publish.lease import Lease, LeaseTimes
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.inbox_cleaning import FORGET

FILL = (
    "INSERT INTO outbox (id, aggregatetype, aggregateid, type, dataschema, payload, headers, lane)"
    " SELECT gen_random_uuid(), 'order-events', 'o-' || n, 't', 's', '\\x0000000001', '{}', n % 16"
    " FROM generate_series(1, :rows) AS n"
)
REFUSE = (
    "INSERT INTO outbox_failed (position, aggregateid, attempts, code, error, overtaken)"
    " SELECT position, aggregateid, 1, 'INVALID_RECORD', '', false FROM outbox ORDER BY position LIMIT :rows"
)
MANY, BATCH = 60_000, 1000
LANES = "{" + ",".join(map(str, range(16))) + "}"


@pytest.mark.postgres
@pytest.mark.parametrize("state", ["never analyzed", "analyzed when empty", "analyzed"])
async def test_a_batch_is_read_and_deleted_without_a_look_at_the_rest_of_the_table(postgres: str, state: str) -> None:
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)
    async with engine.connect() as connection:
        await connection.execute(text("ALTER TABLE outbox SET (autovacuum_enabled = off)"))
        if state == "analyzed when empty":
            await connection.execute(text("ANALYZE outbox"))
        await connection.execute(text(FILL), {"rows": MANY})
        if state == "analyzed":
            await connection.execute(text("ANALYZE outbox"))
        low = await connection.scalar(text("SELECT min(position) FROM outbox"))
        first = "{" + ",".join(str(low + number) for number in range(BATCH)) + "}"
        asked = {"lanes": LANES, "held": "{o-7}", "besides": first, "limit": BATCH}
        assert await touched(connection, READ["postgresql"].text, asked) < 5 * BATCH
        await connection.execute(text(REFUSE), {"rows": 50})
        assert await touched(connection, READ["postgresql"].text, asked) < 5 * BATCH
        await connection.execute(text("UPDATE outbox_lane SET owner = 'me', epoch = 1"))
        owned = {"positions": first, "lowest": low, "highest": low + BATCH - 1, "lanes": LANES, "owner": "me"}
        owned["epochs"] = "{" + ",".join(["1"] * 16) + "}"
        assert await touched(connection, DELETE["postgresql"].text, owned) < 5 * BATCH
        await connection.rollback()
    await engine.dispose()


async def test_in_sqlite_the_positions_are_walked_along_and_not_sorted(tmp_path: Path) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'outbox.db'}")
    await runtime_database.create(engine)
    async with engine.connect() as connection:
        asked = {"lanes": "[1, 2]", "held": "[]", "besides": "[]", "limit": BATCH}
        plan = [row.detail for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {READ['sqlite']}"), asked)]
    await engine.dispose()
    assert "SCAN outbox" in plan
    assert not [step for step in plan if "ORDER BY" in step]


DONE = (
    "INSERT INTO delayed (queue, id, due_at, payload, attempts, done_at)"
    " SELECT 'mail', 'done-' || n, now() - interval '1 day', '', 0, now() FROM generate_series(1, :rows) AS n"
)
HANDLED = (
    'INSERT INTO inbox (consumer, event_id, topic, partition, "offset")'
    " SELECT 'c', gen_random_uuid(), 't', 0, n FROM generate_series(1, :rows) AS n"
)
WAITING = (
    "INSERT INTO delayed (queue, id, due_at, payload, attempts)"
    " SELECT 'mail', 'waiting-' || n, now() + n * interval '1 hour', '', 0 FROM generate_series(-5, 4) AS n"
)


@pytest.mark.postgres
async def test_jobs_that_are_due_are_found_among_many_done_ones(postgres: str) -> None:
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)
    async with engine.connect() as connection:
        await connection.execute(text("ALTER TABLE delayed SET (autovacuum_enabled = off)"))
        await connection.execute(text(DONE), {"rows": MANY})
        await connection.execute(text(WAITING))
        due = {"queue": "mail", "seconds": 0.0, "limit": BATCH}
        assert await touched(connection, DUE["postgresql"].text, due, table="delayed") < 50
        ready = {"queue": "mail", "besides": "{none}", "limit": BATCH}
        assert await touched(connection, READY["postgresql"].text, ready, table="delayed") < 50
        clean = {"seconds": -86_400.0, "portion": BATCH}
        assert await touched(connection, CLEAN["postgresql"].text, clean, table="delayed") < 50
        await connection.rollback()
    await engine.dispose()


@pytest.mark.postgres
async def test_looking_for_old_events_of_the_inbox_passes_none_that_are_young(postgres: str) -> None:
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)
    async with engine.connect() as connection:
        await connection.execute(text(HANDLED), {"rows": MANY})
        await connection.execute(text("ALTER TABLE inbox SET (autovacuum_enabled = off)"))
        forget = {"seconds": -86_400.0, "portion": BATCH}
        assert await touched(connection, FORGET["postgresql"].text, forget, table="inbox") < 50
        await connection.rollback()
    await engine.dispose()


async def test_in_sqlite_jobs_have_an_index_of_those_that_wait_and_one_of_those_that_are_done(tmp_path: Path) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'jobs.db'}")
    await runtime_database.create(engine)
    async with engine.connect() as connection:
        due = text(f"EXPLAIN QUERY PLAN {DUE['sqlite']}"), {"queue": "mail", "seconds": 0.0, "limit": BATCH}
        clean = text(f"EXPLAIN QUERY PLAN {CLEAN['sqlite']}"), {"seconds": -86_400.0, "portion": BATCH}
        plans = [" ".join(row.detail for row in await connection.execute(*asked)) for asked in (due, clean)]
    await engine.dispose()
    assert "INDEX delayed_waiting (queue=? AND due_at<?)" in plans[0]
    assert "INDEX delayed_done (done_at<?)" in plans[1]


@pytest.mark.postgres
@pytest.mark.parametrize("keeps", [False, True])
async def test_a_delete_keeps_no_plan_of_the_day_when_the_table_was_small(postgres: str, *, keeps: bool) -> None:
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)
    backlog = Backlog(engine, keeps=keeps)
    lease = Lease(engine, owner="me", clock=time.monotonic, times=LeaseTimes(lease_seconds=3600))
    await lease.renew()
    async with engine.begin() as connection:
        await connection.execute(text(FILL), {"rows": 40})
        await connection.execute(text("ANALYZE outbox"))
    for _ in range(8):
        (row,) = await backlog.read(lease.held, held=(), limit=1)
        there = {row.position: Place("order-events", 0, 0)}
        assert await backlog.delete([row], owner="me", epochs=lease.held, places=there) == 1
    async with engine.connect() as connection:
        kept = await connection.scalar(
            text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%DELETE FROM outbox %'")
        )
    await engine.dispose()
    assert kept == 0


async def touched(
    connection: AsyncConnection, statement: str, asked: Mapping[str, object], *, table: str = "outbox"
) -> int:
    """How many rows of the table a statement looks at, whether they fit or not."""
    answer = await connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"), asked)
    plan = answer.scalar_one()
    (root,) = plan if isinstance(plan, list) else json.loads(plan)
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(root["Plan"])
        if node.get("Relation Name") == table and "Scan" in node["Node Type"]
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan, and all below it."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)
