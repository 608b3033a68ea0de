"""What a relay sent and keeps: copied with its deletion, sent again in its order with its ids, forgotten in time; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.treaty_runtime.relaying import Service, running, until
from treaty_runtime.event import Place
from treaty_runtime.publish.backlog import Backlog
from treaty_runtime.publish.sent import SentCleaning, SentDesk
from treaty_runtime.sql.tables import SentRow

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def service(database: AsyncEngine) -> Service:
    return Service(database)


async def relay_all(service: Service, count: int) -> None:
    """Relays and keeps what is staged, until nothing waits."""

    async def nothing_waits() -> bool:
        return await service.waiting() == 0

    async with running(service.relay(keeps=True)):
        await until(lambda: len(service.sent()) == count)
        await until(nothing_waits)


async def test_what_was_sent_is_kept_with_its_place(service: Service) -> None:
    await service.stage(("a", 1), ("b", 1), ("a", 2))
    staged = await service.staged()
    await relay_all(service, 3)
    async with service.sessions() as session:
        kept = list(await session.scalars(select(SentRow).order_by(SentRow.position)))
    assert [(row.aggregateid, str(row.id)) for row in kept] == staged
    assert [(row.partition, row.offset) for row in kept] == [(0, 0), (0, 1), (0, 2)]


async def test_what_was_sent_is_sent_again_in_its_order_with_its_ids(service: Service) -> None:
    await service.stage(("a", 1), ("b", 1), ("a", 2))
    desk = SentDesk(service.engine)
    async with running(service.relay(keeps=True)):
        await until(lambda: len(service.sent()) == 3)

        async def all_are_kept() -> bool:
            return [each.events for each in await desk.counts(LONG_AGO, topic=None)] == [3]

        await until(all_are_kept)
        assert await desk.resend(LONG_AGO, topic=None) == 3
        await until(lambda: len(service.sent()) == 6)
        await until(all_are_kept)
    assert service.sent()[3:] == service.sent()[:3]


async def test_only_what_was_sent_since_and_on_the_topic_is_sent_again(service: Service) -> None:
    await service.stage(("a", 1), ("b", 1))
    await relay_all(service, 2)
    async with service.sessions.begin() as session:
        await session.execute(update(SentRow).where(SentRow.aggregateid == "a").values(sent_at=LONG_AGO))
    desk, since = SentDesk(service.engine), LONG_AGO + timedelta(days=1)
    assert await desk.resend(since, topic="other-events") == 0
    assert await desk.resend(since, topic="order-events") == 1
    assert await desk.resend(since, topic=None) == 0  # it waits already
    assert [key for key, _ in await service.staged()] == ["b"]


async def test_old_rows_are_forgotten(service: Service) -> None:
    await service.stage(("a", 1), ("b", 1))
    await relay_all(service, 2)
    async with service.sessions.begin() as session:
        await session.execute(update(SentRow).where(SentRow.aggregateid == "a").values(sent_at=LONG_AGO))
    cleaning = SentCleaning(service.engine, keep=timedelta(days=1))
    assert await cleaning.clean() == 1
    assert await cleaning.clean() == 0


async def test_a_relay_that_lost_its_lanes_keeps_nothing_and_deletes_nothing(service: Service) -> None:
    await service.stage(("a", 1))
    lease, backlog = service.lease(), Backlog(service.engine, keeps=True)
    await lease.renew()
    (row,) = await backlog.read(lease.held, held=(), limit=10)
    stale = {lane: epoch - 1 for lane, epoch in lease.held.items()}
    places = {row.position: Place("order-events", 0, 0)}
    assert await backlog.delete([row], owner=lease.owner, epochs=stale, places=places) == 0
    assert (await service.waiting(), await SentDesk(service.engine).counts(LONG_AGO, topic=None)) == (1, [])
    assert await backlog.delete([row], owner=lease.owner, epochs=lease.held, places=places) == 1
    assert await service.waiting() == 0
