"""Old rows leave in portions: no lock is held for long, and what another member is deleting is left to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.sql.sqltext import statements

PORTION = 5_000


def oldest(table: str, *, by: str) -> Mapping[str, TextClause]:
    """Deletes the `:portion` oldest rows that are older than `-:seconds` by a time column, which has an index."""
    old, limit = f"FROM {table} WHERE {by} < {{later}}", f"ORDER BY {by} LIMIT :portion"
    # Whatever PostgreSQL believes of the table, it looks at these rows alone: the second bound, which all rows keep, makes it expect
    # few, and the rows' places are an array, not a join.
    return statements(
        f"DELETE FROM {table} WHERE ctid = ANY(ARRAY("  # noqa: S608  # constants
        f"SELECT ctid {old} AND {by} > '-infinity' {limit} FOR UPDATE SKIP LOCKED))",
        sqlite=f"DELETE FROM {table} WHERE rowid IN (SELECT rowid {old} {limit})",  # noqa: S608  # constants
    )


async def forget(engine: AsyncEngine, law: Mapping[str, TextClause], *, age: timedelta, portion: int = PORTION) -> int:
    """Deletes all rows of that age, each portion by a statement of its own; answers how many these were."""
    total = 0
    while True:
        gone = await forget_some(engine, law, age=age, portion=portion)
        total += gone
        if gone < portion:
            return total
        await asyncio.sleep(0)


async def forget_some(engine: AsyncEngine, law: Mapping[str, TextClause], *, age: timedelta, portion: int) -> int:
    """Deletes a portion of them, by the database's clock, which wrote the rows. `engine` commits each statement."""
    async with engine.connect() as connection:
        asked = {"seconds": -age.total_seconds(), "portion": portion}
        return (await connection.execute(law[connection.dialect.name], asked)).rowcount
