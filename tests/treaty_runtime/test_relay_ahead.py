"""A relay reads ahead and deletes beside its sending: nothing is sent twice by it, and no row passes one of its key that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from tests.treaty_runtime.relaying import Service, SilentProducer, lasting, renewed, running, until
from treaty_runtime.errors import Outage, QueueFull
from treaty_runtime.hooks import OutageBegan
from treaty_runtime.publish import batch_size
from treaty_runtime.publish.backlog import Backlog, Pending
from treaty_runtime.publish.relay_ahead import FRESH_SECONDS
from treaty_runtime.publish.relay_batch import CHUNK
from treaty_runtime.transport import Delivery, Fault, FaultKind, Outgoing
from treaty_runtime.transport.memory import MemoryProducer


class SlowBacklog(Backlog):
    """Deletes when told to; notes which rows were read, and refuses to read anew meanwhile."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.may_delete = asyncio.Event()
        self.reads: list[list[int]] = []
        self.deletes = self.under_way = 0
        self.faults: dict[int, Exception] = {}
        self.hangs = self.hung = False

    async def read(self, lanes: Any, **how: Any) -> list[Pending]:
        """Reads, unless a fault is planned after so many reads."""
        if self.hangs and how.get("besides"):
            self.hung = True
            await asyncio.Event().wait()
        if fault := self.faults.pop(len(self.reads), None):
            raise fault
        assert how.get("besides") or not self.under_way, "read anew while a delete is under way"
        rows = await super().read(lanes, **how)
        self.reads.append([row.position for row in rows])
        return rows

    async def delete(self, rows: Sequence[Pending], **how: Any) -> int:
        """Deletes at last."""
        self.deletes += 1
        self.under_way += 1
        await self.may_delete.wait()
        gone = await super().delete(rows, **how) if rows else 0
        self.under_way -= 1
        return gone


@pytest.fixture
def service(database: AsyncEngine) -> Service:
    return Service(database)


def numbered(count: int, *, keys: int) -> list[tuple[str, int]]:
    return [(f"o-{number % keys}", number) for number in range(count)]


async def test_every_row_is_sent_once_in_order_over_many_full_batches(service: Service) -> None:
    await service.stage(*numbered(50, keys=7))
    staged = await service.staged()
    async with running(service.relay(batch=3)):
        await until(lambda: len(service.sent()) >= 50)
    assert service.sent() == staged
    assert await service.waiting() == 0


async def test_what_is_sent_and_not_deleted_yet_is_not_sent_again(service: Service) -> None:
    backlog = SlowBacklog(service.engine)
    relay = await renewed(service.relay(lease=lasting(service), backlog=backlog, batch=2))
    await service.stage(*numbered(4, keys=2))
    staged = await service.staged()
    await relay._round()
    second = asyncio.create_task(relay._round())
    await until(lambda: len(service.sent()) >= 4)
    backlog.may_delete.set()
    await second
    assert not await relay._round()
    assert service.sent() == staged
    assert await service.waiting() == 0


async def test_lanes_are_given_back_when_what_was_sent_of_them_is_deleted(service: Service) -> None:
    backlog = SlowBacklog(service.engine)
    relay = await renewed(service.relay(lease=lasting(service), backlog=backlog, batch=2))
    await service.stage(*numbered(2, keys=2))
    await relay._round()
    await renewed(service.relay(lease=lasting(service)))
    await relay._renew()
    assert relay._lease.surplus
    giving = asyncio.create_task(relay._round())
    await until(lambda: backlog.deletes)
    held = "SELECT count(*) FROM outbox_lane WHERE owner = :owner"
    async with service.engine.connect() as connection:
        assert await connection.scalar(text(held), {"owner": relay._lease.owner}) == 16
    assert not giving.done()
    backlog.may_delete.set()
    await giving
    assert await service.waiting() == 0
    async with service.engine.connect() as connection:
        assert await connection.scalar(text(held), {"owner": relay._lease.owner}) == 8


async def test_a_refused_row_keeps_what_was_read_ahead_behind_it(service: Service) -> None:
    service.broker.refusals["order-events"] = Fault("POLICY_VIOLATION", "No.", FaultKind.REFUSED)
    relay = await renewed(service.relay(lease=lasting(service), batch=2))
    async with service.sessions.begin() as session:
        service.outbox.stage(session, OrderCreated(order_id="o-1", number=1))
        service.outbox.stage(session, OrderSeen(number=1), key="o-2")
        service.outbox.stage(session, OrderSeen(number=2), key="o-1")
        service.outbox.stage(session, OrderSeen(number=3), key="o-3")
    while await relay._round():
        pass
    assert [key for key, _ in service.sent("order-views")] == ["o-2", "o-3"]
    assert await service.waiting() == 2


async def test_rows_read_under_another_epoch_are_read_again(service: Service) -> None:
    backlog = SlowBacklog(service.engine)
    backlog.may_delete.set()
    relay = await renewed(service.relay(lease=lasting(service), backlog=backlog, batch=2))
    await service.stage(*numbered(4, keys=2))
    await relay._round()
    await until(lambda: len(backlog.reads) >= 2)
    epochs: Mapping[int, int] = relay._lease.held
    relay._lease.held = {lane: epoch + 1 for lane, epoch in epochs.items()}
    async with service.engine.begin() as connection:
        await connection.execute(text("UPDATE outbox_lane SET epoch = epoch + 1"))
        await connection.execute(text("DELETE FROM outbox"))  # by whom the lanes belonged to meanwhile
    assert not await relay._round()
    assert len(service.sent()) == 2
    assert len(backlog.reads) >= 3


async def test_a_read_ahead_that_fails_is_an_outage_and_is_read_again(service: Service) -> None:
    backlog = SlowBacklog(service.engine)
    backlog.may_delete.set()
    backlog.faults[1] = OperationalError("SELECT", None, DeadlockDetected("deadlock detected"))
    relay = await renewed(service.relay(lease=lasting(service), backlog=backlog, batch=2))
    await service.stage(*numbered(4, keys=2))
    staged = await service.staged()
    assert await relay._round()
    assert await relay._tried(relay._round) is None
    assert service.heard(OutageBegan)
    assert await relay._round()
    await relay._ahead.ended()
    assert service.sent() == staged
    assert await service.waiting() == 0


async def test_lanes_that_are_lost_while_a_delete_is_tried_again_keep_nothing_of_theirs_in_the_producer(
    service: Service,
) -> None:
    backlog, producer, now = SlowBacklog(service.engine), SilentProducer(service), [0.0]
    lease = service.lease(clock=lambda: now[0])
    relay = await renewed(service.relay(lease=lease, producer=producer, backlog=backlog, batch=2))
    await service.stage(*numbered(4, keys=2))
    first = asyncio.create_task(relay._round())
    await until(lambda: len(backlog.reads) >= 2 and producer.acknowledge())
    await first
    second = asyncio.create_task(relay._round())
    await until(lambda: len(producer.taken) == 2)
    now[0] += 1000
    await until(lambda: producer.purges)
    assert not second.done()
    backlog.may_delete.set()
    producer.acknowledge()
    await second


async def test_after_a_delete_that_took_long_the_next_event_leaves_when_it_is_committed(service: Service) -> None:
    backlog = SlowBacklog(service.engine)
    ticks = count()
    relay = service.relay(lease=lasting(service), backlog=backlog, batch=2, clock=lambda: float(next(ticks) * 60))
    relay._ahead.delete(backlog_delete(backlog))
    looking = asyncio.create_task((await renewed(relay))._round())
    await until(lambda: backlog.deletes)
    backlog.may_delete.set()
    assert not await looking
    assert relay._looked <= 120, "the look alone, by a clock that each question moves by a minute"


async def test_a_relay_that_is_cancelled_while_its_statements_hang_ends_and_leaves_nothing_behind(
    service: Service,
) -> None:
    backlog = SlowBacklog(service.engine)
    backlog.hangs = True
    relay = service.relay(lease=lasting(service), backlog=backlog, batch=2)
    await service.stage(*numbered(6, keys=2))
    running_relay = asyncio.create_task(relay.run())
    await until(lambda: backlog.deletes and backlog.hung)
    running_relay.cancel()
    await asyncio.wait({running_relay})
    assert not [task for task in asyncio.all_tasks() if not task.done() and task is not asyncio.current_task()]


async def test_bugs_of_a_read_and_a_delete_at_once_are_told_and_the_lanes_given_back(service: Service) -> None:
    class Broken(Backlog):
        async def read(self, lanes: Any, **how: Any) -> list[Pending]:
            if how.get("besides"):
                raise ProgrammingError("SELECT", None, Exception("no such column"))
            return await super().read(lanes, **how)

        async def delete(self, rows: Sequence[Pending], **how: Any) -> int:
            raise ProgrammingError(f"DELETE {len(rows)} {sorted(how)}", None, Exception("no such table"))

    relay = service.relay(lease=lasting(service), backlog=Broken(service.engine), batch=2)
    await service.stage(*numbered(6, keys=2))
    with pytest.raises(ProgrammingError):
        await relay.run()
    async with service.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM outbox_lane WHERE owner IS NOT NULL")) == 0


async def test_rows_that_an_operator_discards_while_the_broker_is_silent_are_not_sent(service: Service) -> None:
    producer = SilentProducer(service)
    relay = await renewed(service.relay(lease=lasting(service), producer=producer, batch=2))
    await service.stage(*numbered(4, keys=2))
    first = asyncio.create_task(relay._round())
    await until(lambda: len(producer.taken) == 2)
    await asyncio.sleep(1.1 * FRESH_SECONDS)
    async with service.engine.begin() as connection:
        await connection.execute(
            text("DELETE FROM outbox WHERE position IN (SELECT position FROM outbox ORDER BY position DESC LIMIT 2)")
        )
    producer.acknowledge()
    await first
    assert not await relay._round()
    assert len(service.sent()) == 2


class Full(MemoryProducer):
    """Has room for so many records."""

    room_for = 0

    def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
        if not self.room_for:
            raise QueueFull
        self.room_for -= 1
        super().produce(record, done)


async def test_rows_that_an_operator_discards_while_there_is_no_room_to_send_are_not_sent(service: Service) -> None:
    producer, backlog = Full(service.broker), SlowBacklog(service.engine)
    backlog.may_delete.set()
    relay = await renewed(service.relay(lease=lasting(service), producer=producer, backlog=backlog, batch=2))
    await service.stage(*numbered(4, keys=2))
    with pytest.raises(Outage, match="queue is full"):
        await relay._round()
    async with service.engine.begin() as connection:
        await connection.execute(
            text("DELETE FROM outbox WHERE position IN (SELECT position FROM outbox ORDER BY position DESC LIMIT 2)")
        )
    producer.room_for = 4
    while await relay._round():
        pass
    assert len(service.sent()) == 2


async def test_what_finds_no_room_is_of_the_next_batch_and_in_its_place(service: Service) -> None:
    producer = Full(service.broker)
    relay = await renewed(service.relay(lease=lasting(service), producer=producer, batch=6))
    await service.stage(*numbered(6, keys=2))
    staged = await service.staged()
    for sent in (2, 3, 6):
        producer.room_for = sent - len(service.sent())
        assert await relay._round()
        assert len(service.sent()) == sent
    assert not await relay._round()
    assert service.sent() == staged


async def test_what_was_read_ahead_grows_old_also_while_the_lease_was_not_renewed(service: Service) -> None:
    backlog, now = SlowBacklog(service.engine), [0.0]
    backlog.may_delete.set()
    relay = await renewed(service.relay(lease=lasting(service), backlog=backlog, batch=2, clock=lambda: now[0]))
    await service.stage(*numbered(4, keys=2))
    await relay._round()
    await until(lambda: len(backlog.reads) >= 2)
    async with service.engine.begin() as connection:
        await connection.execute(text("DELETE FROM outbox"))
    now[0] += 1.1 * FRESH_SECONDS
    assert not await relay._round()
    assert len(service.sent()) == 2


async def test_a_round_that_failed_leaves_nothing_that_was_read_ahead(service: Service) -> None:
    class Away(MemoryProducer):
        is_away = True

        def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
            if self.is_away:
                raise Outage("No broker.", dependency="kafka")
            super().produce(record, done)

    producer = Away(service.broker)
    relay = service.relay(producer=producer, batch=2)
    await service.stage(*numbered(6, keys=1))
    staged = await service.staged()
    async with running(relay):
        await until(lambda: service.heard(OutageBegan))
        producer.is_away = False
        await until(lambda: len(service.sent()) >= 6)
    assert service.sent() == staged


async def test_the_next_batch_is_read_while_one_is_handed_to_the_producer(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer, begun = SilentProducer(service), list[int]()
    monkeypatch.setattr(batch_size, "FIRST_ROWS", 3 * CHUNK)

    class Noting(Backlog):
        async def read(self, lanes: Any, **how: Any) -> list[Pending]:
            begun.append(len(producer.taken))
            return await super().read(lanes, **how)

    rows = 3 * CHUNK
    backlog = Noting(service.engine)
    relay = await renewed(service.relay(lease=lasting(service), producer=producer, backlog=backlog, batch=rows))
    await service.stage(*numbered(rows, keys=7))
    first = asyncio.create_task(relay._round())
    await until(lambda: len(producer.taken) == rows)
    await until(lambda: len(begun) == 2)
    producer.acknowledge()
    await first
    await relay._ahead.ended()
    assert begun[1] <= CHUNK


async def backlog_delete(backlog: SlowBacklog) -> None:
    await backlog.delete([], owner="", epochs={}, places={})
