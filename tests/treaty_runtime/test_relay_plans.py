"""What a relay asks for costs as much as a batch, not as much as the table: the plans, on tables that nobody has analyzed lately."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from treaty_runtime.publish.backlog import DELETE, READ
from treaty_runtime.sql import database as runtime_database

FILL = (
    "INSERT INTO outbox (id, aggregatetype, aggregateid, type, dataschema, payload, headers, lane)"
    " SELECT gen_random_uuid(), 'order-events', 'o-' || n, 't', 's', '\\x0000000001', '{}', n % 16"
    " FROM generate_series(1, :rows) AS n"
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
        assert await touched(connection, str(READ["postgresql"].element), asked) < 5 * BATCH
        await connection.execute(text("UPDATE outbox_lane SET owner = 'me', epoch = 1"))
        owned = {"positions": first, "lowest": low, "highest": low + BATCH - 1, "lanes": LANES, "owner": "me"}
        owned["epochs"] = "{" + ",".join(["1"] * 16) + "}"
        assert await touched(connection, str(DELETE["postgresql"]), owned) < 5 * BATCH
        await connection.rollback()
    await engine.dispose()


async def test_in_sqlite_the_positions_are_walked_along_and_not_sorted(tmp_path: Path) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'outbox.db'}")
    await runtime_database.create(engine)
    async with engine.connect() as connection:
        asked = {"lanes": "[1, 2]", "held": "[]", "besides": "[]", "limit": BATCH}
        plan = [
            row.detail for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {READ['sqlite'].element}"), asked)
        ]
    await engine.dispose()
    assert "SCAN outbox" in plan
    assert not [step for step in plan if "ORDER BY" in step]


async def touched(connection: AsyncConnection, statement: str, asked: dict[str, object]) -> int:
    """How many rows of the outbox a statement looks at, whether they fit or not."""
    answer = await connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"), asked)
    plan = answer.scalar_one()
    (root,) = plan if isinstance(plan, list) else json.loads(plan)
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(root["Plan"])
        if node.get("Relation Name") == "outbox" and "Scan" in node["Node Type"]
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan, and all below it."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)
