"""Keys of requests are kept for a day and do not pile up, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from pydantic import BaseModel
from sqlalchemy import MetaData, func, insert, select

from mall.database import Database, open_database
from mall.errors import IdempotencyConflict
from mall.idempotency import FORGOTTEN_AT_ONCE, KEPT, Answer, Attempt, IdempotencyKeys
from tests.mall.counter import Clock
from tests.parts.waiting import DEADLINE

METADATA = MetaData()
KEYS = IdempotencyKeys(METADATA)
TABLE = METADATA.tables["idempotency_key"]
MOMENT = timedelta(seconds=1)


class Said(BaseModel):
    text: str


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database("goods", database_url)
    await opened.create(METADATA)
    yield opened
    await opened.engine.dispose()


async def ask(database: Database, now: datetime, *, key: str = "k", text: str = "first") -> Answer:
    attempt = Attempt(key=key, user_id=7, operation="say", body=Said(text=text))

    async def work() -> Said:
        return Said(text=text)

    async with database.sessions.begin() as session:
        return await KEYS.once(session, attempt, now=now, work=work)


async def remember(database: Database, created_at: datetime, *, users: range) -> None:
    rows = [{"user_id": user, "key": "k", "digest": "", "created_at": created_at} for user in users]
    async with database.sessions.begin() as session:
        await session.execute(insert(TABLE), rows)


async def kept(database: Database) -> int:
    async with database.readers() as session:
        return await session.scalar(select(func.count()).select_from(TABLE)) or 0


async def test_keys_of_users_who_never_come_back_leave_in_portions(database: Database, clock: Clock) -> None:
    others = 2 * FORGOTTEN_AT_ONCE + 50
    await remember(database, clock() - KEPT - MOMENT, users=range(1_000, 1_000 + others))
    await remember(database, clock() - KEPT, users=range(3))
    left = []
    for number in range(4):
        await ask(database, clock(), key=str(number))
        left.append(await kept(database) - 3 - number - 1)
    assert left == [others - FORGOTTEN_AT_ONCE, 50, 0, 0]


async def test_a_key_is_free_after_a_day_even_while_older_ones_wait_to_leave(database: Database, clock: Clock) -> None:
    await ask(database, clock())
    with pytest.raises(IdempotencyConflict):
        await ask(database, clock() + KEPT, text="second")
    await remember(database, clock() - MOMENT, users=range(1_000, 1_000 + FORGOTTEN_AT_ONCE))
    later = clock() + KEPT + MOMENT
    assert [await ask(database, later, text="second") for _ in range(2)] == [{"text": "second"}] * 2


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # SQLite has one writer at a time
async def test_who_forgets_old_keys_does_not_wait_for_another_who_does(database: Database, clock: Clock) -> None:
    await remember(database, clock() - KEPT - MOMENT, users=range(1_000, 1_010))
    attempt = Attempt(key="a", user_id=8, operation="say", body=Said(text="x"))

    async def meanwhile() -> Said:
        return Said.model_validate(await asyncio.wait_for(ask(database, clock()), DEADLINE))

    async with database.sessions.begin() as session:
        assert await KEYS.once(session, attempt, now=clock(), work=meanwhile) == {"text": "first"}
    assert await kept(database) == 2
