"""A fence by transactions, on a real broker: who lost a lane appends nothing to it any more, and nothing is there twice."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from tests.parts.waiting import wait_until
from tests.treaty_runtime.order_events import FakeRegistry, OrderCreated
from tests.treaty_runtime.relaying import running, until
from tests.treaty_runtime.test_runtime_kafka import _create, _event_on
from treaty_avro import compile_decoder
from treaty_runtime.admin import Cluster
from treaty_runtime.clock import utcnow
from treaty_runtime.hooks import Hooks
from treaty_runtime.kafka import KafkaFence
from treaty_runtime.kafka.lane import PORTION, marks_of
from treaty_runtime.kafka.log import Log
from treaty_runtime.publish.backlog import Backlog, Pending
from treaty_runtime.publish.late_ids import LateIds
from treaty_runtime.publish.lease import Lease
from treaty_runtime.publish.outbox import Outbox, lane_of
from treaty_runtime.publish.outbox_desk import OutboxDesk
from treaty_runtime.publish.relay import Relay, RelaySettings
from treaty_runtime.publish.relay_batch import Batch
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql.tables import OutboxRow
from treaty_runtime.transport import MARK_BYTES, Delivery, FaultKind, Outgoing
from treaty_runtime.wire.serde import Serde

pytestmark = pytest.mark.kafka
LANE = 3


@pytest.fixture
async def topic(kafka: str, unique: Callable[[str], str]) -> str:
    """A topic of the test's own."""
    name = unique("orders")
    await _create(kafka, name)
    return name


@pytest.fixture
async def fences(kafka: str, topic: str) -> AsyncIterator[Callable[[], KafkaFence]]:
    """Makes fences of one service, as processes of it have them."""
    made: list[KafkaFence] = []

    def fence() -> KafkaFence:
        made.append(KafkaFence(KafkaSettings(brokers=kafka), service=topic))
        return made[-1]

    yield fence
    for each in made:
        await each.close()


async def test_a_zombie_appends_nothing_after_its_successor_took_the_lane(
    kafka: str, topic: str, fences: Callable[[], KafkaFence]
) -> None:
    zombie, successor = fences(), fences()
    await _take(zombie, 1)
    assert await _send(zombie, topic, 1, 2) == [None, None]
    await _take(successor, 2)
    assert await _send(successor, topic, 3) == [None]
    assert set(await _send(zombie, topic, 2)) == {FaultKind.FENCED}  # it slept, and goes on as if nothing had happened
    assert await _send(successor, topic, 4) == [None]
    assert _values(kafka, topic, 4) == ["1", "2", "3", "4"]
    assert zombie.untaken({LANE: 1}) == {LANE}


async def test_what_a_former_owner_left_open_is_undone_and_its_successor_knows_what_is_there_for_good(
    kafka: str, topic: str, fences: Callable[[], KafkaFence]
) -> None:
    former, successor = fences(), fences()
    await _take(former, 1)
    await _send(former, topic, 1, 2)
    lane = former.producer(LANE)
    client = lane._client  # type: ignore[attr-defined]  # frozen in the middle: its records are in the log, uncommitted
    client.begin_transaction()
    client.produce(topic, value=b"3", key=b"k")
    client.flush(10)
    await _take(successor, 2)
    assert await successor.sent(LANE, [topic]) == {_mark(1), _mark(2)}
    assert await _send(successor, topic, 3) == [None]
    assert _values(kafka, topic, 3) == ["1", "2", "3"]


async def test_who_lost_the_lane_before_the_broker_heard_of_it_does_not_take_it(
    topic: str, fences: Callable[[], KafkaFence]
) -> None:
    late = fences()

    async def held() -> Mapping[int, int]:
        return {LANE: 2}  # the database says: another relay has raised the epoch

    await late.take({LANE: 1}, held=held)
    assert late.untaken({LANE: 1}) == {LANE}


async def test_rows_that_are_in_the_log_but_still_in_the_outbox_are_only_deleted(
    kafka: str, topic: str, fences: Callable[[], KafkaFence], database: AsyncEngine
) -> None:
    outbox = _Outbox(database, topic)
    await outbox.stage("a", 1, 2)
    rows = await Backlog(database).read(range(16), held=(), limit=10)
    killed = fences()
    await killed.take({rows[0].lane: 1}, held=_answer({rows[0].lane: 1}))
    await _send_rows(killed, outbox, rows)  # committed; and here its process ends
    await outbox.stage("a", 3)
    async with running(outbox.relay(fences())):
        await until(outbox.is_empty)
        await outbox.stage("a", 4)
        await until(outbox.is_empty)
    assert _numbers(kafka, topic, 4) == [1, 2, 3, 4]


async def test_many_rows_of_a_lane_are_one_transaction(
    topic: str, fences: Callable[[], KafkaFence], database: AsyncEngine
) -> None:
    outbox = _Outbox(database, topic)
    await outbox.stage("a", *range(PORTION))
    rows = await Backlog(database).read(range(16), held=(), limit=PORTION)
    lane, killed, successor = rows[0].lane, fences(), fences()
    await killed.take({lane: 1}, held=_answer({lane: 1}))
    await _send_rows(killed, outbox, rows)
    await successor.take({lane: 2}, held=_answer({lane: 2}))
    assert len(await successor.sent(lane, [topic])) == PORTION, "the last commit notes them all"


async def test_rows_that_are_in_the_log_are_not_sent_again_when_rows_before_them_are_committed_late(
    kafka: str, topic: str, fences: Callable[[], KafkaFence], database: AsyncEngine
) -> None:
    outbox = _Outbox(database, topic)
    slow, quick = [key for key in map(str, range(200)) if outbox.lane(key) == outbox.lane("0")][:2]
    await outbox.stage(slow, 11, 12, 13)  # their transaction got the first positions, and is not committed yet
    table = OutboxRow.metadata.tables["outbox"]
    async with database.begin() as connection:
        late = [dict(row) for row in (await connection.execute(select(table))).mappings()]
        await connection.execute(delete(table))
    await outbox.stage(quick, 1, 2, 3, 4)
    rows = await Backlog(database).read(range(16), held=(), limit=10)
    killed, successor = fences(), fences()
    await killed.take({rows[0].lane: 1}, held=_answer({rows[0].lane: 1}))
    await _send_rows(killed, outbox, rows)  # committed; and here its process ends
    async with database.begin() as connection:
        await connection.execute(insert(table), late)
    successor.portion = 4  # so that the late rows fill its first transaction
    async with running(outbox.relay(successor)):
        await until(outbox.is_empty)
    assert sorted(_numbers(kafka, topic, 7)) == [1, 2, 3, 4, 11, 12, 13]


async def test_a_row_that_the_broker_refuses_takes_its_neighbours_back_and_they_go_without_it(
    kafka: str, unique: Callable[[str], str], fences: Callable[[], KafkaFence], database: AsyncEngine
) -> None:
    small = unique("small")
    with Cluster(kafka) as cluster:
        cluster.create(small, partitions=1, replication=1, config={"max.message.bytes": "2000"})
        cluster.await_topics([small])
    outbox = _Outbox(database, small)
    same_lane = [key for key in map(str, range(200)) if outbox.lane(key) == outbox.lane("0")][:2]
    await outbox.stage(same_lane[0], 1)
    await outbox.stage(os.urandom(4000).hex(), 2, key=same_lane[1])
    await outbox.stage(same_lane[0], 3)
    desk = OutboxDesk(database)
    async with running(outbox.relay(fences())):

        async def only_the_refused_is_left() -> bool:
            return len(await desk.failed(limit=10)) == 1 and len(await desk.waiting(after=0, limit=10)) == 1

        await until(only_the_refused_is_left)
    assert _numbers(kafka, small, 2) == [1, 3]


def test_a_text_that_is_not_ours_holds_no_marks() -> None:
    assert marks_of("") == marks_of('"') == []


class _Outbox:
    """An outbox of one class of events, and relays of it."""

    def __init__(self, engine: AsyncEngine, topic: str) -> None:
        self.event = _event_on(topic)
        self.serde, self._engine = Serde(FakeRegistry(self.event)), engine
        self._outbox = Outbox(self.serde, service="order", now=utcnow, entropy=os.urandom)
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    def lane(self, key: str) -> int:
        return lane_of(key, lanes=16)

    async def stage(self, order_id: str, *numbers: int, key: str | None = None) -> None:
        async with self._sessions.begin() as session:
            for number in numbers:
                event: Any = self.event(order_id=order_id, number=number)  # type: ignore[call-arg]  # a Protocol has no constructor
                self._outbox.stage(session, event, key=key or order_id)

    def relay(self, fence: KafkaFence) -> Relay:
        return Relay(
            backlog=Backlog(self._engine),
            lease=Lease(self._engine, owner=f"relay-{random.random()}", clock=time.monotonic),
            fence=fence,
            late_ids=LateIds(self.serde, {self.event.__avro_fullname__: self.event}),
            registry_url="http://registry:8081",
            clock=time.monotonic,
            random=random.random,
            settings=RelaySettings(poll=timedelta(milliseconds=20)),
        )

    async def is_empty(self) -> bool:
        return (await Backlog(self._engine).depth()).pending == 0


async def _send_rows(fence: KafkaFence, outbox: _Outbox, rows: list[Pending]) -> None:
    ready, _ = await LateIds(outbox.serde, {outbox.event.__avro_fullname__: outbox.event}).fill(rows)
    await fence.sent(rows[0].lane, {row.topic for row in rows})
    batch = Batch(ready, hooks=Hooks(), clock=time.monotonic)
    await batch.send(fence, registry_url="http://registry:8081", may_send=lambda: True)
    assert await batch.settled(within=30)
    assert len(batch.acknowledged) == len(rows)


def _answer(held: Mapping[int, int]) -> Callable[[], Awaitable[Mapping[int, int]]]:
    async def answer() -> Mapping[int, int]:
        return held

    return answer


async def _take(fence: KafkaFence, epoch: int) -> None:
    await fence.take({LANE: epoch}, held=_answer({LANE: epoch}))
    assert fence.untaken({LANE: epoch}) == frozenset()


async def _send(fence: KafkaFence, topic: str, *numbers: int) -> list[FaultKind | None]:
    await fence.sent(LANE, [topic])
    answers: dict[int, asyncio.Future[Delivery]] = {n: asyncio.get_running_loop().create_future() for n in numbers}
    for number, answer in answers.items():
        record = Outgoing(topic=topic, key=b"k", value=str(number).encode(), mark=_mark(number))
        fence.producer(LANE).produce(record, partial(asyncio.Future.set_result, answer))
    async with asyncio.timeout(240):
        told = await asyncio.gather(*answers.values())
    return [None if each.fault is None else each.fault.kind for each in told]


def _mark(number: int) -> bytes:
    return number.to_bytes(MARK_BYTES, "big")


def _raw(kafka: str, topic: str, count: int) -> list[bytes]:
    """What can be read, once there are so many: a commit is acknowledged before its mark is in the log."""

    def read() -> list[bytes]:
        with Log(kafka) as log:
            return [record.value or b"" for record in log.read(log.spans([topic]))]

    return wait_until(lambda: found if len(found := read()) >= count else None)


def _numbers(kafka: str, topic: str, count: int) -> list[int]:
    decode = compile_decoder(OrderCreated)
    return [decode(value, 5).number for value in _raw(kafka, topic, count)]


def _values(kafka: str, topic: str, count: int) -> list[str]:
    return [value.decode() for value in _raw(kafka, topic, count)]
