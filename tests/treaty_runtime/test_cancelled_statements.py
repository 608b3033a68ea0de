"""A statement that the server cancels, by `statement_timeout` or because somebody asked it to, ends nobody's loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from tests.treaty_runtime.relaying import Service, until
from treaty_runtime.hooks import Hooks, OutageBegan, Recovered
from treaty_runtime.outages import Outages
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.inbox_cleaning import InboxCleaning
from treaty_runtime.wiring.cleaning import Cleaning

pytestmark = pytest.mark.postgres


@pytest.fixture
async def impatient(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine whose role may ask for 100 ms."""
    patient, engine = runtime_database.open_engine(postgres), runtime_database.open_engine(postgres)
    await runtime_database.create(patient)
    await patient.dispose()
    event.listen(engine.sync_engine, "connect", _limit)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def locked(url: str, table: str) -> AsyncIterator[None]:
    """A migration has the table for itself."""
    other = runtime_database.open_engine(url)
    async with other.begin() as connection:
        await connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield
    await other.dispose()


async def test_a_relay_waits_until_its_statements_come_through_again(postgres: str, impatient: AsyncEngine) -> None:
    service = Service(impatient)
    relay = service.relay()
    relaying = asyncio.create_task(relay.run())
    await service.stage(("o-1", 1))
    await until(lambda: len(service.sent()) == 1)
    async with locked(postgres, "outbox"):
        await until(lambda: service.heard(OutageBegan) or relaying.done())
    await service.stage(("o-1", 2))
    await until(lambda: len(service.sent()) == 2 or relaying.done())
    relay.stop()
    await relaying
    assert {type(hook) for hook in service.seen} >= {OutageBegan, Recovered}


async def test_a_cleaning_asks_again_and_says_so(postgres: str, impatient: AsyncEngine) -> None:
    seen, clock = list[object](), asyncio.get_running_loop().time
    outages = Outages("inbox", clock=clock, hooks=Hooks([seen.append]))
    every = timedelta(milliseconds=10)
    cleaning = asyncio.create_task(Cleaning(InboxCleaning(impatient).clean, outages=outages, every=every).run())
    async with locked(postgres, "inbox"):
        await until(lambda: seen or cleaning.done())
    await until(lambda: len(seen) == 2 or cleaning.done())
    cleaning.cancel()
    await asyncio.wait({cleaning})
    assert cleaning.cancelled()
    assert [type(hook) for hook in seen] == [OutageBegan, Recovered]


async def test_in_a_handler_it_is_no_outage(impatient: AsyncEngine) -> None:
    async with async_sessionmaker(impatient)() as session:
        with pytest.raises(DBAPIError) as cancelled:
            await session.execute(text("SELECT pg_sleep(60)"))
    assert not runtime_database.is_passing(cancelled.value)
    assert not runtime_database.is_away(cancelled.value)
    assert runtime_database.is_waited_out(cancelled.value)


def _limit(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("SET statement_timeout = '100ms'")
    cursor.close()
    connection.commit()
