"""Records of a failed one's key wait in a table and keep their order: in memory and virtual time, on both databases, on mock brokers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import OrderCreated
from tests.treaty_runtime.shop import Shop as MockShop
from tests.treaty_runtime.shop import group_of
from treaty_runtime.errors import Conflict, InvalidSettings, Locked, Outage
from treaty_runtime.event import Context, Partition, Place, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.held import AlreadyReleased, Held, HeldRecords
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.held_records import SqlHeldRecords
from treaty_runtime.sql.inbox import Inbox
from treaty_runtime.testing import Harness
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.testing.effects import MemorySession
from treaty_runtime.testing.held import MemoryHeldRecords
from treaty_runtime.transport.memory import MemoryBroker
from treaty_runtime.wiring.connections import MemoryConnections

Sessions = async_sessionmaker[AsyncSession]
SLOW = RetryPolicy(delays=("10s", "60s"), jitter=0)
ORDERS = Partition("order-events", 0)
DUE = datetime(2026, 3, 1, tzinfo=UTC)


def order(number: int, order_id: str = "o-1") -> OrderCreated:
    return OrderCreated(order_id=order_id, number=number)


class Shop:
    """Handlers that note what they did; ``broken`` numbers fail."""

    def __init__(self) -> None:
        self.handlers = Handlers()
        self.handled: list[tuple[str, int, int]] = []
        self.broken: set[int] = set()

        @self.handlers.on(OrderCreated, on_failure="hold_key")
        async def note(event: OrderCreated, context: Context) -> None:
            if event.number in self.broken:
                raise RuntimeError(f"number {event.number} is broken")
            self.handled.append((event.order_id, event.number, context.attempt))

    def numbers(self, order_id: str = "o-1") -> list[int]:
        return [number for handled, number, _ in self.handled if handled == order_id]


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sessions | None]:
    """Sessions of a database of the test's own; None: effects in memory."""
    if request.param == "memory":
        yield None
        return
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'own.sqlite'}" if is_file else str(request.getfixturevalue("postgres"))
    engine = runtime_database.open_engine(url)
    await runtime_database.create(engine)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


# -- in memory and virtual time; with the real tables too


async def test_the_records_of_a_failed_ones_key_wait_for_it_and_keep_their_order(store: Sessions | None) -> None:
    shop = Shop()
    shop.broken = {1}
    async with Harness(shop.handlers, retry=SLOW, sessions=store) as harness:
        for number in range(4):
            await harness.publish(order(number))
        await harness.publish(order(9, "o-2"))
        await harness.settle()
        assert shop.numbers() == [0]
        assert shop.numbers("o-2") == [9]
        await harness.publish(order(4))
        await harness.advance(seconds=11)
        assert shop.numbers() == [0]
        shop.broken.clear()
        await harness.advance(seconds=60)
        assert shop.handled[2:] == [("o-1", 1, 3), ("o-1", 2, 1), ("o-1", 3, 1), ("o-1", 4, 1)]
        await harness.publish(order(5))
        await harness.settle()
        assert shop.numbers()[-1] == 5
        assert harness.dead_letters == []


async def test_after_the_last_attempt_the_head_is_a_dead_letter_and_the_next_runs(sessions: Sessions) -> None:
    shop = Shop()
    shop.broken = {0}
    async with Harness(shop.handlers, retry=SLOW, sessions=sessions) as harness:
        await harness.publish(order(0))
        await harness.publish(order(1))
        await harness.advance(seconds=80)
        assert shop.numbers() == [1]
        assert [letter.reason for letter in harness.dead_letters] == ["failed number 0 is broken"]
    assert await _count(sessions) == 0


async def test_what_is_held_survives_its_process(sessions: Sessions) -> None:
    shop = Shop()
    shop.broken = {0}
    async with Harness(shop.handlers, retry=SLOW, sessions=sessions) as harness:
        for number in range(3):
            await harness.publish(order(number))
        await harness.settle()
        assert await _count(sessions) == 3
        await harness.crash()
        shop.broken.clear()
        await harness.advance(seconds=11)
        assert shop.numbers() == [0, 1, 2]
    assert await _count(sessions) == 0


@pytest.mark.parametrize("members", [0, 6], ids=["stopped", "moved"])
async def test_what_waits_for_a_dependency_through_good_ends_has_killed_nobody(members: int) -> None:
    handlers, mood = Handlers(), ["broken"]

    @handlers.on(OrderCreated, on_failure="hold_key")
    async def take(_event: OrderCreated, _context: Context) -> None:
        if mood == ["broken"]:
            raise RuntimeError
        if mood == ["away"]:
            raise Outage(dependency="bank")

    async with Harness(handlers, retry=SLOW) as harness:
        await harness.publish(order(0))
        await harness.settle()
        mood[0] = "away"
        for _ in range(4):
            await harness.advance(seconds=60)
            await harness.rebalance(members=members)
            await harness.rebalance(members=1)
        mood[0] = "well"
        await harness.advance(minutes=5)
        assert harness.dead_letters == []


@pytest.mark.parametrize("error", [Conflict(), Locked()], ids=["conflict", "locked"])
async def test_an_attempt_that_has_to_run_again_counts_as_begun_while_it_runs(error: Exception) -> None:
    """Else a record that ends the process then would never be found."""
    handlers, begun = Handlers(), list[int]()

    @handlers.on(OrderCreated, on_failure="hold_key")
    async def take(_event: OrderCreated, context: Context) -> None:
        if context.attempt == 1:
            raise RuntimeError
        for _ in range(9):  # whatever was written of the attempt before has been
            await asyncio.sleep(0)
        begun.extend(row.begun for row in _rows(harness))
        if len(begun) < 3:
            raise error

    async with Harness(handlers, retry=SLOW) as harness:
        await harness.publish(order(0))
        await harness.advance(seconds=30)
        assert begun == [1, 1, 1]
        assert _rows(harness) == []


def _rows(harness: Harness) -> list[Held]:
    assert isinstance(harness._held, MemoryHeldRecords)
    return list(harness._held._rows.values())


async def test_what_waits_for_a_worker_through_good_ends_has_killed_nobody(sessions: Sessions) -> None:
    handlers, mood, began = Handlers(), ["broken"], list[int]()

    @handlers.on(OrderCreated, on_failure="hold_key")
    async def take(_event: OrderCreated, _context: Context) -> None:
        if mood == ["broken"]:
            raise RuntimeError
        if mood == ["slow"]:
            began.append(1)
            await asyncio.sleep(3600)

    drain = timedelta(milliseconds=20)
    async with Harness(handlers, workers=1, drain=drain, retry=SLOW, sessions=sessions) as harness:
        for number in range(4):
            await harness.publish(order(number, f"o-{number}"))
        await harness.settle()
        mood[0] = "slow"
        await harness.rebalance(members=0)
        for end in range(1, 5):
            joining = asyncio.create_task(harness.rebalance(members=1))
            await eventually(partial(_has_begun, harness, began, end))
            joining.cancel()  # it waits until there is nothing more to do
            await harness.rebalance(members=0)
        mood[0] = "well"
        await harness.rebalance(members=1)
        await harness.advance(minutes=5)
        assert harness.dead_letters == []
    assert await _count(sessions) == 0


def _has_begun(harness: Harness, began: list[int], count: int) -> bool:
    harness.clock.step(harness.clock.now() + timedelta(seconds=1))
    return len(began) >= count


async def test_a_partition_that_moves_takes_its_held_records_along() -> None:
    shop = Shop()
    shop.broken = {0}
    async with Harness(shop.handlers, retry=SLOW) as harness:
        for order_id in ("a", "b", "c", "d", "e", "f"):
            await harness.publish(order(0, order_id))
            await harness.publish(order(1, order_id))
        await harness.settle()
        await harness.rebalance(members=3)
        shop.broken.clear()
        await harness.advance(seconds=15)
        assert {order_id: shop.numbers(order_id) for order_id in "abcdef"} == {key: [0, 1] for key in "abcdef"}


async def test_a_database_that_is_away_loses_nothing_that_is_held() -> None:
    shop = Shop()
    shop.broken = {0}
    async with Harness(shop.handlers, retry=SLOW) as harness:
        await harness.publish(order(0))
        await harness.publish(order(1))
        await harness.settle()
        with harness.outage("database"):
            await harness.publish(order(2))
            await harness.advance(seconds=30)
        shop.broken.clear()
        await harness.advance(seconds=60)
        assert shop.numbers() == [0, 1, 2]
        assert harness.dead_letters == []


async def test_a_held_event_that_had_its_effect_before_is_handled_once(sessions: Sessions) -> None:
    """The same event lies on the topic twice: the second finds the inbox row, and its own row goes."""
    shop = Shop()
    shop.broken = {0}
    async with Harness(shop.handlers, retry=SLOW, sessions=sessions) as harness:
        event_id = (await harness.publish(order(0))).event_id
        await harness._publisher.publish(order(7), event_id=event_id)  # the harness gives every event an id of its own
        await harness.settle()
        assert await _count(sessions) == 2
        shop.broken.clear()
        await harness.advance(seconds=11)
        assert shop.numbers() == [0]
    assert await _count(sessions) == 0


async def test_a_batch_handler_may_hold_its_keys_too(sessions: Sessions) -> None:
    handlers, seen, broken = Handlers(), list[int](), {1}

    @handlers.batch(OrderCreated, size=10, within=timedelta(0), on_failure="hold_key")
    async def note(events: Any, context: Any) -> None:
        if any(event.number in broken for event in events):
            raise RuntimeError
        seen.extend(event.number for event in events)

    async with Harness(handlers, retry=SLOW, sessions=sessions) as harness:
        for number in range(3):
            await harness.publish(order(number))
        await harness.settle()
        assert seen == [0]
        broken.clear()
        await harness.advance(seconds=11)
        assert seen == [0, 1, 2]
    assert await _count(sessions) == 0


def test_holding_keys_without_a_database_is_refused_at_start() -> None:
    with pytest.raises(InvalidSettings, match="Group order: hold_key needs a database"):
        Runtime(
            service="order",
            settings=KafkaSettings(),
            events={},
            groups=[Group("order", Shop().handlers, dead_letter="dlq.order")],
            connections=MemoryConnections(MemoryBroker()),
        )


# -- the table: one suite for the real one and the double


def table_of(store: Sessions | None) -> HeldRecords:
    return MemoryHeldRecords() if store is None else SqlHeldRecords(store.kw["bind"])


def held(offset: int, *, attempt: int = 2, due: datetime | None = DUE) -> Held:
    headers = (("ce_id", b"1"), ("ce_id", b"\xff\x00"))
    record = Record(Place(*ORDERS, offset), b"o-\x00", b"\x00value", headers, 1_700, is_log_append_time=True)
    return Held(record=record, attempt=attempt, due=due)


async def test_what_is_held_is_read_back_whole_and_loaded_in_order_without_values(store: Sessions | None) -> None:
    table = table_of(store)
    await table.hold("g", [held(7), held(3)])
    await table.hold("other", [held(1)])
    loaded = await table.load("g", ORDERS)
    assert [row.place.offset for row in loaded] == [3, 7]
    assert [(row.record.key, row.record.headers, row.attempt, row.due) for row in loaded] == [
        (b"o-\x00", held(3).record.headers, 2, DUE)
    ] * 2
    assert await table.fetch("g", Place(*ORDERS, 3)) == held(3)
    assert await table.load("g", Partition("order-events", 1)) == []


async def test_a_tombstone_without_key_or_time_is_held_as_it_is(store: Sessions | None) -> None:
    table = table_of(store)
    bare = Held(record=Record(Place(*ORDERS, 1), None, None, (), -1), attempt=1, due=None)
    await table.hold("g", [bare])
    assert await table.fetch("g", bare.place) == bare


async def test_a_row_that_is_there_is_not_written_over_and_one_that_has_gone_stays_gone(store: Sessions | None) -> None:
    table = table_of(store)
    await table.hold("g", [held(1, attempt=3)])
    await table.hold("g", [held(1, attempt=2), held(2)])
    assert [row.attempt for row in await table.load("g", ORDERS)] == [3, 2]
    await table.drop("g", Place(*ORDERS, 1))
    await table.again("g", held(1, attempt=4))
    assert [row.place.offset for row in await table.load("g", ORDERS)] == [2]
    assert await table.fetch("g", Place(*ORDERS, 1)) is None


async def test_attempts_that_never_ended_are_counted_until_one_does(store: Sessions | None) -> None:
    table, place = table_of(store), Place(*ORDERS, 1)
    await table.hold("g", [held(1)])
    assert [(await table.fetch("g", place) or held(9)).begun for _ in range(3)] == [0, 1, 2]
    assert [row.begun for row in await table.load("g", ORDERS)] == [3]
    await table.spare("g", [place])
    assert [row.begun for row in await table.load("g", ORDERS)] == [0]
    await table.fetch("g", place)
    await table.again("g", held(1, attempt=3, due=None))
    assert [(row.begun, row.attempt, row.due) for row in await table.load("g", ORDERS)] == [(0, 3, None)]


async def test_a_row_goes_with_the_effect_or_not_at_all(store: Sessions | None) -> None:
    table, place = table_of(store), Place(*ORDERS, 1)
    await table.hold("g", [held(1)])
    if store is None:
        session: Any = MemorySession()
        await table.release(session, "g", place)
        assert await table.load("g", ORDERS)
        session.staged[0]()
    else:
        async with store() as session:
            await table.release(session, "g", place)  # rolled back
        assert await table.load("g", ORDERS)
        async with store.begin() as session:
            await table.release(session, "g", place)
    assert await table.load("g", ORDERS) == []
    with pytest.raises(AlreadyReleased):
        async with store() if store is not None else nullcontext(MemorySession()) as session:
            await table.release(session, "g", place)


# -- on brokers


@pytest.mark.chaos
async def test_keys_are_held_in_order_on_mock_brokers_while_members_come_and_go(sessions: Sessions) -> None:
    """Three keys; the fifth record of each fails twice. A second member joins meanwhile and takes partitions over."""
    handled: dict[str, list[int]] = {}
    failures: Counter[str] = Counter()
    handlers = Handlers()

    @handlers.on(OrderCreated, on_failure="hold_key")
    async def note(event: OrderCreated, _context: Context) -> None:
        if event.number == 5 and failures[event.order_id] < 2:
            failures[event.order_id] += 1
            raise RuntimeError
        handled.setdefault(event.order_id, []).append(event.number)

    keys, numbers = ("a", "b", "c"), range(20)
    with Chaos() as chaos:
        for topic in (OrderCreated.__topic__, "dlq.order", "retry.order.0s", "retry.order.100ms"):
            chaos.topic(topic, partitions=3)
        shop = MockShop(chaos.bootstrap)
        group = group_of(handlers)
        own = {"effects": Inbox(sessions), "held": SqlHeldRecords(sessions.kw["bind"])}
        async with shop.running(group, **own):
            await shop.publisher.publish_many([order(number, key) for number in numbers for key in keys])
            async with shop.running(group, **own):
                await eventually(lambda: sum(map(len, handled.values())) == 60)
        await shop.producer.close()
    assert handled == {key: list(numbers) for key in keys}
    assert failures == dict.fromkeys(keys, 2)
    assert await _count(sessions) == 0


async def _count(sessions: Sessions) -> int:
    async with sessions() as session:
        return int(await session.scalar(text("SELECT count(*) FROM held")) or 0)
