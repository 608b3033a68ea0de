"""A handler's transaction is the inbox's: what ends it before its time is a failure of that handler, and nothing is half done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import OrderCreated, envelope_of
from tests.treaty_runtime.shop import order
from treaty_runtime.errors import HandlerEndedTransaction, Locked, Outage
from treaty_runtime.event import Context, Outcome
from treaty_runtime.handlers import Handlers
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.inbox import Inbox, remember
from treaty_runtime.sql.tables import InboxRow
from treaty_runtime.testing import Harness

NOW = datetime.now(UTC)
Sessions = async_sessionmaker[AsyncSession]
End = Callable[[AsyncSession], Awaitable[object]]


async def rows(sessions: Sessions) -> int:
    async with sessions() as session:
        return await session.scalar(select(func.count()).select_from(InboxRow)) or 0


async def commit_below(session: AsyncSession) -> None:
    await session.run_sync(lambda sync: sync.commit())


async def roll_back_and_go_on(session: AsyncSession) -> None:
    await session.rollback()
    await session.execute(text("SELECT 1"))


ENDS: dict[str, End] = {
    "commit": AsyncSession.commit,
    "commit of the session below": commit_below,
    "rollback": AsyncSession.rollback,
    "rollback, and on": roll_back_and_go_on,
    "close": AsyncSession.close,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_handler_that_ends_the_transaction_has_failed_and_nothing_is_kept(sessions: Sessions, end: End) -> None:
    async def handle(context: Context) -> None:
        await end(context.session)

    with pytest.raises(HandlerEndedTransaction, match="begin_nested"):
        await Inbox(sessions).run(envelope_of(1), group="g", handle=handle, deadline=NOW)
    assert await rows(sessions) == 0


async def test_a_commit_that_was_refused_and_caught_comes_with_the_event(sessions: Sessions) -> None:
    async def handle(context: Context) -> None:
        with pytest.raises(HandlerEndedTransaction):
            await context.session.commit()

    assert await Inbox(sessions).run(envelope_of(1), group="g", handle=handle, deadline=NOW) is Outcome.HANDLED
    assert await rows(sessions) == 1


async def test_savepoints_are_the_handlers_own(sessions: Sessions) -> None:
    async def handle(context: Context) -> None:
        async with context.session.begin_nested():
            await context.session.execute(text("SELECT 1"))
        with pytest.raises(DBAPIError):
            async with context.session.begin_nested():
                await context.session.execute(text("SELECT nothing FROM nowhere"))

    assert await Inbox(sessions).run(envelope_of(1), group="g", handle=handle, deadline=NOW) is Outcome.HANDLED
    assert await rows(sessions) == 1


async def test_without_the_inbox_a_handler_ends_what_it_likes(sessions: Sessions) -> None:
    async def handle(context: Context) -> None:
        async with context.session.begin():
            await context.session.execute(text("SELECT 1"))

    outcome = await Inbox(sessions).run(envelope_of(1), group="g", handle=handle, deadline=NOW, inbox=False)
    assert outcome is Outcome.HANDLED


async def test_neighbours_in_one_transaction_are_handled_without_the_one_that_ended_it(sessions: Sessions) -> None:
    handlers, done = Handlers(), list[int]()

    @handlers.on(OrderCreated)
    async def take(event: OrderCreated, context: Context) -> None:
        if event.number == 0:
            await context.session.commit()
        done.append(event.number)

    async with Harness(handlers, sessions=sessions, transaction_size=20) as harness:
        await harness.rebalance(members=0)
        for number in range(6):
            await harness.publish(order(number, f"o-{number}"))
        await harness.rebalance(members=1)
        await harness.advance(minutes=5)
        (letter,) = harness.dead_letters
    assert (letter.error_class.rpartition(".")[2], set(done)) == ("HandlerEndedTransaction", {1, 2, 3, 4, 5})
    assert await rows(sessions) == 5


@pytest.mark.postgres
async def test_a_wait_for_another_members_row_that_the_server_cuts_off_is_no_failed_attempt(postgres: str) -> None:
    owner = runtime_database.open_engine(postgres)
    await runtime_database.create(owner)
    impatient = runtime_database.open_engine(f"{postgres}?options=-cstatement_timeout%3D100")

    async def never(_context: Any) -> None:
        raise AssertionError

    async with async_sessionmaker(owner)() as other:
        assert await remember(other, envelope_of(1), group="g")
        inbox = Inbox(async_sessionmaker(impatient))
        with pytest.raises(Locked):
            await inbox.run(envelope_of(1), group="g", handle=never, deadline=NOW)
        with pytest.raises(Locked):
            await inbox.run_batch([envelope_of(1)], group="g", handle=never, deadline=NOW)
    for engine in (owner, impatient):
        await engine.dispose()


async def lose(engine: AsyncEngine, context: Context) -> None:
    """The connection goes while a savepoint is open, which is given up."""
    try:
        async with context.session.begin_nested():
            await context.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    except DBAPIError:
        assert engine.dialect.name == "postgresql"


@pytest.mark.postgres
async def test_a_connection_lost_in_a_savepoint_that_is_given_up_is_an_outage(postgres: str) -> None:
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)

    async def handle(context: Context) -> None:
        await lose(engine, context)

    with pytest.raises(Outage) as away:
        await Inbox(async_sessionmaker(engine)).run(envelope_of(1), group="g", handle=handle, deadline=NOW)
    assert away.value.dependency == "database"
    await engine.dispose()
