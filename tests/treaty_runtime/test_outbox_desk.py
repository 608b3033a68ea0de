"""An outbox mended by an operator, on both databases: what is refused is told, tried again, or dropped with its note."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.treaty_runtime.order_events import OrderCreated
from tests.treaty_runtime.relaying import Service, running, set_aside, until
from treaty_runtime.publish.backlog import Backlog
from treaty_runtime.publish.outbox_desk import OutboxDesk


@pytest.fixture
async def service(database: AsyncEngine) -> Service:
    """Two events of o-1, one of o-2; the broker refused the first."""
    service = Service(database)
    await service.stage(("o-1", 1), ("o-1", 2), ("o-2", 1))
    rows = await Backlog(database).read(range(16), held=(), limit=10)
    await set_aside(database, rows[0])
    return service


async def test_what_waits_is_told_by_topic_and_what_is_refused_one_by_one(service: Service) -> None:
    desk = OutboxDesk(service.engine)
    (topic,) = await desk.topics()
    assert (topic.topic, topic.pending, topic.failed) == (OrderCreated.__topic__, 3, 1)
    (failed,) = await desk.failed(limit=10)
    assert (failed.row.key, failed.code, failed.attempts, failed.behind) == ("o-1", "MSG_SIZE_TOO_LARGE", 1, 1)
    assert [row.position for row in await desk.waiting(after=0, limit=10)] == [
        failed.row.position, failed.row.position + 1, failed.row.position + 2,
    ]  # fmt: skip


async def test_a_retried_row_goes_out_before_those_behind_it(service: Service) -> None:
    desk, staged = OutboxDesk(service.engine), await service.staged()
    (failed,) = await desk.find(keys=["o-1"])
    async with running(service.relay()):
        await until(lambda: len(service.sent()) == 1)
        assert [relay.lanes for relay in await desk.relays()] == [16]
        assert await desk.retry([failed.position, 999]) == [failed.position]
        assert await desk.retry([failed.position]) == [], "twice is once"
        await until(lambda: len(service.sent()) == 3)
    assert [pair for pair in service.sent() if pair[0] == "o-1"] == [pair for pair in staged if pair[0] == "o-1"]


async def test_a_dropped_row_is_gone_with_its_note_and_its_key_goes_on(service: Service) -> None:
    desk, staged = OutboxDesk(service.engine), await service.staged()
    (row,) = await desk.find(ids=[UUID(staged[0][1]), uuid4()])
    assert str(row.id) == staged[0][1]
    assert await desk.drop([row.position]) == [row.position]
    assert (await desk.drop([row.position]), await desk.failed(limit=10)) == ([], [])
    async with running(service.relay()):
        await until(lambda: len(service.sent()) == 2)
    assert sorted(service.sent()) == sorted(staged[1:])


async def test_a_key_and_a_topic_find_their_refused_rows_only(service: Service) -> None:
    desk = OutboxDesk(service.engine)
    assert [row.key for row in await desk.find(keys=["o-1"])] == ["o-1"]
    assert await desk.find(keys=["o-2"]) == []
    assert [row.key for row in await desk.find(topics=[OrderCreated.__topic__])] == ["o-1"]
    assert await desk.find(topics=["other-events"]) == []
