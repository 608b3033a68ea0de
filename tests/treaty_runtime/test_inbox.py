"""Effects once: under redelivery, races, crashes between effect and commit, and lost answers to COMMIT."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import FakeRegistry, OrderCreated, envelope_of
from tests.treaty_runtime.statements import counted
from treaty_runtime.errors import Conflict, Outage
from treaty_runtime.event import BatchContext, Context, Envelope, Outcome
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.inbox import Inbox
from treaty_runtime.sql.tables import InboxRow, OutboxRow
from treaty_runtime.wire.serde import Serde

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
async def effects(database: AsyncEngine) -> None:
    """A table that counts what happened, without any uniqueness that would hide a second effect."""
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE effect (event_id varchar(36))"))


@pytest.mark.usefixtures("effects")
async def test_a_redelivered_event_has_no_second_effect(sessions: Sessions) -> None:
    inbox = Inbox(sessions)
    outcomes = [await _run(inbox, envelope_of(1, offset=offset), _effect) for offset in (10, 11, 12)]
    assert outcomes == [Outcome.HANDLED, Outcome.DUPLICATE, Outcome.DUPLICATE]
    assert await _count(sessions) == 1


@pytest.mark.usefixtures("effects")
async def test_each_group_handles_the_event_once(sessions: Sessions) -> None:
    inbox = Inbox(sessions)
    assert await _run(inbox, envelope_of(1), _effect, group="a") is Outcome.HANDLED
    assert await _run(inbox, envelope_of(1), _effect, group="b") is Outcome.HANDLED


@pytest.mark.usefixtures("effects")
async def test_two_members_with_the_same_event_make_one_effect(sessions: Sessions) -> None:
    inbox = Inbox(sessions)
    outcomes = await asyncio.gather(*(_run(inbox, envelope_of(1), _effect) for _ in range(5)))
    assert sorted(outcome.name for outcome in outcomes) == ["DUPLICATE"] * 4 + ["HANDLED"]
    assert await _count(sessions) == 1


@pytest.mark.usefixtures("effects")
async def test_a_failing_handler_leaves_nothing_and_may_run_again(sessions: Sessions) -> None:
    inbox = Inbox(sessions)

    async def fails(context: Context) -> None:
        await _effect(context)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await _run(inbox, envelope_of(1), fails)
    assert await _count(sessions) == 0
    assert await _run(inbox, envelope_of(1), _effect) is Outcome.HANDLED


async def test_what_a_handler_stages_names_its_cause_and_shares_its_fate(sessions: Sessions) -> None:
    serde = Serde(FakeRegistry(OrderCreated))
    outbox = Outbox(serde, service="order", now=lambda: NOW, entropy=os.urandom)
    inbox = Inbox(sessions, stage=outbox.stage)

    async def stages(context: Context) -> None:
        context.stage(OrderCreated(order_id="o-1", number=2))

    async def stages_and_fails(context: Context) -> None:
        await stages(context)
        await context.session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await _run(inbox, envelope_of(1), stages_and_fails)
    await _run(inbox, envelope_of(2), stages)
    async with sessions() as session:
        (row,) = await session.scalars(select(OutboxRow))
    assert f'"ce_causationid": "{UUID(int=2)}"' in row.headers


@pytest.mark.usefixtures("effects")
async def test_without_an_inbox_row_each_delivery_runs(sessions: Sessions) -> None:
    inbox = Inbox(sessions)
    for _ in range(2):
        outcome = await inbox.run(envelope_of(1), group="g", handle=_effect, deadline=NOW, inbox=False)
        assert outcome is Outcome.HANDLED
    assert await _count(sessions) == 2


@pytest.mark.usefixtures("effects")
async def test_a_commit_whose_answer_is_lost_is_settled_by_the_inbox(database: AsyncEngine, sessions: Sessions) -> None:
    """The first COMMIT happens, then the connection breaks: the second run finds the row."""
    async with _losing_a_commit(database, after=True):
        with pytest.raises(Outage):
            await _run(Inbox(sessions), envelope_of(1), _effect)
        assert await _run(Inbox(sessions), envelope_of(1), _effect) is Outcome.DUPLICATE
    assert await _count(sessions) == 1


@pytest.mark.usefixtures("effects")
async def test_an_inbox_that_cannot_be_written_is_an_outage_of_the_database(
    database: AsyncEngine, sessions: Sessions
) -> None:
    """A restore, a role without rights: the handler has not begun, so no event is at fault."""
    async with database.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox RENAME TO elsewhere"))
    inbox = Inbox(sessions)
    for run in (
        _run(inbox, envelope_of(1), _effect),
        inbox.run_batch([envelope_of(1)], group="g", handle=_effect, deadline=NOW),  # type: ignore[arg-type]  # never called
    ):
        with pytest.raises(Outage, match="The inbox cannot be written") as away:
            await run
        assert away.value.dependency == "database"
    async with database.begin() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO inbox"))
    assert await _run(inbox, envelope_of(1), _effect) is Outcome.HANDLED


@pytest.mark.usefixtures("effects")
async def test_a_commit_that_never_arrived_runs_again(database: AsyncEngine, sessions: Sessions) -> None:
    async with _losing_a_commit(database, after=False):
        with pytest.raises(Outage):
            await _run(Inbox(sessions), envelope_of(1), _effect)
        assert await _run(Inbox(sessions), envelope_of(1), _effect) is Outcome.HANDLED
    assert await _count(sessions) == 1


@pytest.mark.postgres
async def test_of_two_that_lock_each_other_out_one_is_a_conflict_that_may_run_again(postgres: str) -> None:
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE stock (sku int PRIMARY KEY, units int)"))
        await connection.execute(text("INSERT INTO stock VALUES (1, 0), (2, 0)"))
    async with engine.connect(), engine.connect():
        pass  # both are open now: on a busy machine making one may take longer than its time-out, which would be an outage
    inbox = Inbox(async_sessionmaker(engine))
    met = asyncio.Barrier(2)
    runs: list[tuple[int, int]] = []

    def crossing(first: int, second: int) -> Callable[[Context], Awaitable[None]]:
        async def handle(context: Context) -> None:
            runs.append((first, second))
            await context.session.execute(text("UPDATE stock SET units = units + 1 WHERE sku = :sku"), {"sku": first})
            if len(runs) <= 2:
                await met.wait()
            await context.session.execute(text("UPDATE stock SET units = units + 1 WHERE sku = :sku"), {"sku": second})

        return handle

    work = [(envelope_of(1), crossing(1, 2)), (envelope_of(2), crossing(2, 1))]
    ended = await asyncio.gather(*(_run(inbox, *each) for each in work), return_exceptions=True)
    assert sorted(type(each).__name__ for each in ended) == ["Conflict", "Outcome"]
    loser = next(each for each, became in zip(work, ended, strict=True) if isinstance(became, Conflict))
    assert await _run(inbox, *loser) is Outcome.HANDLED
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT sum(units) FROM stock"))).scalar() == 4
    await engine.dispose()


async def test_a_database_that_is_away_is_an_outage_and_no_failure() -> None:
    engine = runtime_database.open_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Outage) as away:
        await _run(Inbox(async_sessionmaker(engine)), envelope_of(1), _effect)
    assert away.value.dependency == "database"


async def test_a_handlers_own_mistake_in_sql_is_its_failure(sessions: Sessions) -> None:
    async def wrong(context: Context) -> None:
        await context.session.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(DBAPIError):
        await _run(Inbox(sessions), envelope_of(1), wrong)


@pytest.mark.usefixtures("effects")
async def test_the_inbox_costs_one_statement_per_record(database: AsyncEngine, sessions: Sessions) -> None:
    async def nothing(context: Context) -> None:
        """Does nothing."""

    with counted(database) as statements:
        await _run(Inbox(sessions), envelope_of(1), nothing)
    assert len(statements) == 1
    with counted(database) as statements:
        await _run(Inbox(sessions), envelope_of(1), nothing)
    assert len(statements) == 1


@pytest.mark.usefixtures("effects")
async def test_a_process_killed_between_effect_and_commit_leaves_no_effect(
    database_url: str, sessions: Sessions
) -> None:
    """A real process is ended by SIGKILL inside the handler; the redelivered event has its effect once."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.treaty_runtime.stuck_handler", database_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 240) == b"inside\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert await _count(sessions) == 0
    assert await _run(Inbox(sessions), envelope_of(1), _effect) is Outcome.HANDLED
    assert await _count(sessions) == 1


async def test_of_a_batch_those_are_handled_that_are_new_each_once_and_in_their_order(
    database: AsyncEngine, sessions: Sessions
) -> None:
    inbox, handled = Inbox(sessions), list[tuple[UUID, int]]()

    async def note(context: BatchContext) -> None:
        handled.extend((envelope.id, envelope.place.offset) for envelope in context.envelopes)

    async def batch(*envelopes: Envelope[Any]) -> str:
        handled.clear()
        outcomes = await inbox.run_batch(envelopes, group="g", handle=note, deadline=NOW)
        return "".join(outcome.name[0] for outcome in outcomes)

    with counted(database) as statements:
        assert await batch(envelope_of(3, offset=1), envelope_of(1, offset=2), envelope_of(3, offset=3)) == "HHD"
    assert handled == [(UUID(int=3), 1), (UUID(int=1), 2)]
    assert await batch(envelope_of(9, offset=4), envelope_of(1, offset=5), envelope_of(2, offset=6)) == "HDH"
    assert handled == [(UUID(int=9), 4), (UUID(int=2), 6)]
    assert await batch(envelope_of(3, offset=7), envelope_of(9, offset=8)) == "DD"
    assert (handled, len(statements)) == ([], 1)


@asynccontextmanager
async def _losing_a_commit(engine: AsyncEngine, *, after: bool) -> AsyncIterator[None]:
    """Loses the answer of the next COMMIT: `after` it happened, or before."""
    left = [1]

    def lose(connection: Any) -> None:
        if not left:
            return
        left.clear()
        driver = connection.connection.dbapi_connection
        driver.commit() if after else driver.rollback()  # a server that loses its client rolls back
        lost = OperationalError("COMMIT", {}, ConnectionResetError("connection reset"))
        lost.connection_invalidated = True
        raise lost

    sql_event.listen(engine.sync_engine, "commit", lose)
    try:
        yield
    finally:
        sql_event.remove(engine.sync_engine, "commit", lose)


async def _effect(context: Context) -> None:
    await context.session.execute(text("INSERT INTO effect VALUES (:id)"), {"id": str(context.envelope.id)})


async def _run(
    inbox: Inbox, envelope: Envelope[Any], handle: Callable[[Context], Awaitable[None]], *, group: str = "g"
) -> Outcome:
    return await inbox.run(envelope, group=group, handle=handle, deadline=NOW)


async def _count(sessions: Sessions) -> int:
    async with sessions() as session:
        effects = await session.scalar(text("SELECT count(*) FROM effect"))
        remembered = await session.scalar(select(func.count()).select_from(InboxRow))
    assert effects is not None
    assert remembered in {effects, 0, 1}
    return int(effects)
