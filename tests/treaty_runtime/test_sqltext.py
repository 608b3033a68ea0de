"""Many values as one parameter: whatever they hold, the database reads back what was given."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.sql.sqltext import listed

TEXTS = [
    "",
    " ",
    "NULL",
    "null",
    "a,b",
    "{a}",
    '"',
    "\\",
    '\\"',
    '"},{"',
    "'; DROP TABLE outbox; --",
    "a\nb\t",
    "数据 é 🎈",
    ":held",
    "%s",
]
NUMBERS = [0, -1, 2**31, 2**63 - 1]


async def read_back(database: AsyncEngine, values: list[object], *, kind: str) -> list[object]:
    statement = (
        f"SELECT value FROM unnest(CAST(:given AS {kind}[])) WITH ORDINALITY AS each (value, place) ORDER BY place"  # noqa: S608  # our words
        if database.dialect.name == "postgresql"
        else "SELECT value FROM json_each(:given) ORDER BY key"
    )
    async with database.connect() as connection:
        rows = await connection.execute(text(statement), {"given": listed(values, dialect=database.dialect.name)})
        return list(rows.scalars())


async def test_texts_and_numbers_come_back_as_they_were(database: AsyncEngine) -> None:
    assert await read_back(database, [*TEXTS], kind="text") == TEXTS
    assert await read_back(database, [*NUMBERS], kind="bigint") == NUMBERS
    assert await read_back(database, [], kind="text") == []
