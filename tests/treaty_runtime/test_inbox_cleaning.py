"""Old rows leave the inbox in portions; what may still come again stays."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.treaty_runtime.statements import counted
from treaty_runtime.hooks import Hooks
from treaty_runtime.outages import Outages
from treaty_runtime.sql.inbox_cleaning import InboxCleaning
from treaty_runtime.sql.tables import InboxRow
from treaty_runtime.wiring.cleaning import Cleaning

NOW = datetime.now(UTC)


async def remember(database: AsyncEngine, *, old: int, fresh: int) -> None:
    ages = [timedelta(hours=193)] * old + [timedelta(hours=191)] * fresh
    rows = [
        {
            "consumer": "g",
            "event_id": UUID(int=number),
            "topic": "t",
            "partition": 0,
            "offset": number,
            "handled_at": NOW - age,
        }
        for number, age in enumerate(ages)
    ]
    async with database.begin() as connection:
        await connection.execute(insert(InboxRow), rows)


async def left(database: AsyncEngine) -> int:
    async with database.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(InboxRow)) or 0


async def test_rows_older_than_the_retention_leave_in_portions_and_others_stay(database: AsyncEngine) -> None:
    await remember(database, old=25, fresh=5)
    with counted(database) as statements:
        assert await InboxCleaning(database).clean(portion=10) == 25
    assert len(statements) == 3, "two full portions and the rest"
    assert await left(database) == 5
    assert await InboxCleaning(database).clean() == 0


async def test_members_that_clean_at_the_same_moment_do_not_meet(database: AsyncEngine) -> None:
    await remember(database, old=60, fresh=0)
    gone = await asyncio.gather(*(InboxCleaning(database).clean(portion=10) for _ in range(3)))
    assert sum(gone) == 60


async def test_cleaning_goes_on_until_it_is_cancelled(database: AsyncEngine) -> None:
    outages = Outages("inbox", clock=asyncio.get_running_loop().time, hooks=Hooks())
    every = timedelta(milliseconds=20)
    cleaning = asyncio.create_task(Cleaning(InboxCleaning(database).clean, outages=outages, every=every).run())
    for _ in range(2):
        await remember(database, old=3, fresh=0)
        async with asyncio.timeout(90):
            while await left(database):  # noqa: ASYNC110  # a table gives no event
                await asyncio.sleep(0.01)
    cleaning.cancel()
    await asyncio.gather(cleaning, return_exceptions=True)


async def test_old_rows_are_found_by_an_index(database: AsyncEngine) -> None:
    async with database.connect() as connection:
        name = "SELECT name FROM sqlite_master WHERE type = 'index'"
        if database.dialect.name == "postgresql":
            name = "SELECT indexname FROM pg_indexes"
        assert "inbox_handled_at" in set((await connection.execute(text(name))).scalars())
