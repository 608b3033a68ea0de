"""Records of the past once more: bounded, in order, without a group; what the inbox knows is left out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import CATALOG, FakeRegistry, OrderCreated, OrderSeen
from treaty_avro import compile_encoder
from treaty_runtime.admin import Cluster
from treaty_runtime.errors import UndeclaredTopic
from treaty_runtime.event import Context, Partition
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.kafka.bounds import KafkaBounds
from treaty_runtime.kafka.log import Log
from treaty_runtime.runtime import Runtime
from treaty_runtime.seek import InvalidSeek, parse_seek
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.transport import Outgoing
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer
from treaty_runtime.wire.serde import frame
from treaty_runtime.wiring.connections import MemoryBounds, MemoryConnections
from treaty_runtime.wiring.dry_run import UnknownGroup
from treaty_runtime.wiring.replaying import BeyondInbox

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Sessions = async_sessionmaker[AsyncSession]


def seek(text: str) -> Any:
    return parse_seek(text, now=NOW)


class Shop:
    """A service with a past: thirty records of three orders, a minute apart."""

    def __init__(self, sessions: Sessions, external: Callable[[Handlers], Any] | None = None) -> None:
        """``external``: how the function that acts outside is registered; None: for its class."""
        self.broker, self.handled, self.broken = MemoryBroker(partitions=2), list[tuple[str, int]](), set[int]()
        handlers = Handlers()

        @handlers.on(OrderCreated)
        async def note(event: OrderCreated, context: Context) -> None:
            assert context.is_replay
            if event.number in self.broken:
                raise RuntimeError("no")
            self.handled.append((event.order_id, event.number))

        async def mail(_seen: Any, _context: Context) -> None:
            self.handled.append(("mail", 1))

        registers = handlers.on(OrderSeen, external=True) if external is None else external(handlers)
        registers(mail)

        self.runtime = Runtime(
            service="order",
            settings=KafkaSettings(),
            events=CATALOG,
            sessions=sessions,
            groups=[Group("order-view", handlers, dead_letter="dlq.order")],
            connections=MemoryConnections(self.broker),
            registry=FakeRegistry(OrderCreated, OrderSeen),
        )

    async def publish(self, *, began: datetime) -> None:
        producer, encode = MemoryProducer(self.broker), compile_encoder(OrderCreated)
        for number in range(30):
            order_id = f"o-{number % 3}"
            at = began + timedelta(minutes=number)
            value = frame(1) + encode(OrderCreated(order_id=order_id, number=number))
            record = Outgoing(
                topic="order-events", key=order_id.encode(), value=value, timestamp_ms=int(at.timestamp() * 1000)
            )
            producer.produce(record, lambda _answer: None)
        seen = frame(2) + compile_encoder(OrderSeen)(OrderSeen(number=1))
        producer.produce(Outgoing(topic="order-views", key=b"x", value=seen), lambda _answer: None)
        await producer.flush(timedelta(seconds=1))

    async def replay(self, start: str, end: str = "end", **options: Any) -> Any:
        return await self.runtime.replay("order-view", start=seek(start), end=seek(end), **options)


@pytest.fixture
async def shop(sessions: Sessions) -> Shop:
    made = Shop(sessions)
    await made.publish(began=datetime.now(UTC) - timedelta(hours=1))
    return made


async def test_the_past_is_handled_in_order_once_and_external_handlers_are_left_out(shop: Shop) -> None:
    report = await shop.replay("start")
    assert (report.handled, report.duplicates, report.skipped, report.failed) == (30, 0, 1, 0)
    for order in range(3):
        assert [number for order_id, number in shop.handled if order_id == f"o-{order}"] == list(range(order, 30, 3))
    again = await shop.replay("start")
    assert (again.handled, again.duplicates) == (0, 30)
    assert (await shop.replay("start", topics=["order-views"], external="run")).handled == 1


@pytest.mark.parametrize(
    "external",
    [
        lambda handlers: handlers.any("order-views", external=True),
        lambda handlers: handlers.raw("order-views", external=True),
    ],
    ids=["any", "raw"],
)
async def test_functions_of_whole_topics_that_act_outside_are_left_out_too(
    sessions: Sessions, external: Callable[[Handlers], Any]
) -> None:
    shop = Shop(sessions, external)
    await shop.publish(began=datetime.now(UTC) - timedelta(hours=1))
    assert (await shop.replay("start", topics=["order-views"])).skipped == 1
    assert shop.handled == []
    assert (await shop.replay("start", topics=["order-views"], external="run")).handled == 1
    assert shop.handled == [("mail", 1)]


async def test_only_what_lies_between_the_two_places_is_handled(shop: Shop) -> None:
    held = shop.broker.records("order-events")
    some = next(record.place.of for record in held)
    size = sum(record.place.of == some for record in held)
    report = await shop.replay("-1", topics=["order-events"])
    assert report.handled == len({record.place.of for record in held})
    assert (await shop.replay("0", "1", topics=["order-events"])).seen == len({record.place.of for record in held})
    assert size > 1


@pytest.mark.parametrize(("start", "end"), [("shift:-5", "end"), ("start", "shift:+5")])
async def test_a_replay_has_nothing_to_shift_from(shop: Shop, start: str, end: str) -> None:
    with pytest.raises(InvalidSeek, match="no place of its own"):
        await shop.replay(start, end)
    assert shop.handled == []


async def test_what_fails_is_told_with_its_place_and_the_rest_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.broken = {4}
    report = await shop.replay("start", topics=["order-events"])
    assert (report.handled, report.failed) == (29, 1)
    ((place, why),) = report.failures
    assert (place.topic, why) == ("order-events", "builtins.RuntimeError: no")
    shop.broken.clear()
    assert (await shop.replay("start", topics=["order-events"])).handled == 1


async def test_what_the_group_calls_an_outage_is_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    group, failures = shop.runtime.groups[0], [LookupError("the cache is away")] * 5
    handler = group.handlers.events[OrderCreated]

    async def needs_the_cache(event: Any, context: Context) -> None:
        if failures:
            raise failures.pop()
        await handler.call(event, context)

    object.__setattr__(group, "outages", (LookupError,))
    monkeypatch.setitem(group.handlers._events, OrderCreated, replace(handler, call=needs_the_cache))
    report = await shop.replay("start", topics=["order-events"])
    assert (report.handled, report.failed) == (30, 0)


async def test_a_replay_that_breaks_ends_also_if_a_handler_swallows_that_it_is_cancelled(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, whole = asyncio.Event(), MemoryBounds.read

    async def breaks(bounds: MemoryBounds, spans: Any) -> AsyncIterator[Any]:
        async for chunk in whole(bounds, spans):
            yield chunk
        await begun.wait()
        raise LookupError("the log is gone")

    async def swallows(_event: Any, _context: Context) -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)

    monkeypatch.setattr(MemoryBounds, "read", breaks)
    group = shop.runtime.groups[0]
    handler = group.handlers.events[OrderCreated]
    monkeypatch.setitem(group.handlers._events, OrderCreated, replace(handler, call=swallows))
    with pytest.raises(LookupError, match="the log is gone"):
        await asyncio.wait_for(shop.replay("start", topics=["order-events"]), 60)


async def test_a_replay_goes_on_if_something_that_a_handler_awaits_is_cancelled(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, cut_off = shop.runtime.groups[0], [True]
    handler = group.handlers.events[OrderCreated]

    async def waits(event: Any, context: Context) -> None:
        if cut_off:
            cut_off.clear()
            other = asyncio.ensure_future(asyncio.sleep(3600))
            other.cancel()
            await other
        await handler.call(event, context)

    monkeypatch.setitem(group.handlers._events, OrderCreated, replace(handler, call=waits))
    report = await asyncio.wait_for(shop.replay("start", topics=["order-events"]), 60)
    assert (report.handled, report.failed) == (30, 0)


class PanicException(BaseException):
    """As extensions in Rust raise it."""


async def test_what_is_no_exception_fails_its_record_and_the_rest_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = shop.runtime.groups[0]
    handler = group.handlers.events[OrderCreated]

    async def panics(event: OrderCreated, context: Context) -> None:
        if event.number == 4:
            raise PanicException("no")
        await handler.call(event, context)

    monkeypatch.setitem(group.handlers._events, OrderCreated, replace(handler, call=panics))
    report = await asyncio.wait_for(shop.replay("start", topics=["order-events"]), 60)
    assert (report.handled, report.failed) == (29, 1)


async def test_a_group_that_keeps_the_order_of_partitions_replays_in_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(shop.runtime.groups[0], "order", "partition")
    group = shop.runtime.groups[0]
    handler = group.handlers.events[OrderCreated]

    async def takes_long(event: OrderCreated, context: Context) -> None:
        await asyncio.sleep(0.01 if event.order_id == "o-0" else 0)
        await handler.call(event, context)

    monkeypatch.setitem(group.handlers._events, OrderCreated, replace(handler, call=takes_long))
    assert len({record.place.of for record in shop.broker.records("order-events")}) == 1
    await shop.replay("start", topics=["order-events"])
    assert [number for _, number in shop.handled] == list(range(30))


async def test_records_that_the_inbox_may_have_forgotten_since_the_replay_began_are_not_handled(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits out outages, and the running service cleans its inbox meanwhile."""
    whole, passed = MemoryBounds.read, [timedelta(0)]
    replays = shop.runtime._replays
    replays._world = replace(replays._world, now=lambda: datetime.now(UTC) + passed[0])

    async def later(bounds: MemoryBounds, spans: Any) -> AsyncIterator[Any]:
        async for chunk in whole(bounds, spans):
            passed[0] = timedelta(days=30)
            yield chunk

    monkeypatch.setattr(MemoryBounds, "read", later)
    report = await shop.replay("start", topics=["order-events"])
    assert (report.handled, report.failed) == (0, 30)
    assert "which the inbox does not remember" in report.failures[0][1]


async def test_what_the_inbox_has_forgotten_is_refused_unless_asked_for(sessions: Sessions) -> None:
    shop = Shop(sessions)
    await shop.publish(began=datetime.now(UTC) - timedelta(days=30))
    with pytest.raises(BeyondInbox, match="--beyond-inbox"):
        await shop.replay("start", topics=["order-events"])
    assert shop.handled == []
    assert (await shop.replay("start", topics=["order-events"], beyond_inbox=True)).handled == 30


async def test_fresh_tables_are_filled_although_the_inbox_knows_everything(shop: Shop, tmp_path: Any) -> None:
    await shop.replay("start", topics=["order-events"])
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'shadow.sqlite'}")
    await runtime_database.create(engine)
    report = await shop.replay("start", topics=["order-events"], shadow=async_sessionmaker(engine))
    assert (report.handled, report.duplicates) == (30, 0)
    await engine.dispose()


async def test_a_fresh_inbox_beside_fresh_tables_is_used_and_a_replay_goes_on_where_the_last_one_ended(
    shop: Shop, tmp_path: Any
) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'shadow.sqlite'}")
    await runtime_database.create(engine)
    shadow = async_sessionmaker(engine)
    first = await shop.replay("start", topics=["order-events"], shadow=shadow, shadow_inbox=True)
    assert (first.handled, first.duplicates) == (30, 0)
    assert set(first.began) == set(first.spans)
    again = await shop.replay("start", topics=["order-events"], shadow=shadow, shadow_inbox=True)
    assert (again.handled, again.duplicates) == (0, 30)
    ends = {partition: span[1] for partition, span in first.spans.items()}
    options = {"end": seek("end"), "topics": ["order-events"], "shadow": shadow, "shadow_inbox": True}
    assert (await shop.runtime.replay("order-view", start=ends, **options)).seen == 0
    some = next(iter(ends))
    assert (await shop.runtime.replay("order-view", start={**ends, some: ends[some] - 2}, **options)).duplicates == 2
    await engine.dispose()


async def test_unknown_groups_and_topics_are_refused(shop: Shop) -> None:
    with pytest.raises(UnknownGroup, match="it has order-view"):
        await shop.runtime.replay("none", start=seek("start"), end=seek("end"))
    with pytest.raises(UndeclaredTopic, match="does not read other"):
        await shop.replay("start", topics=["other"])


@pytest.mark.kafka
async def test_places_and_times_are_found_on_a_real_broker(kafka: str, unique: Callable[[str], str]) -> None:
    topic = unique("order-events")
    with Cluster(kafka) as cluster, Log(kafka) as log:
        # Records of a day gone by: with a week's retention the broker takes them at its next look, in the midst of the test.
        cluster.create(topic, partitions=2, replication=1, config={"retention.ms": "-1"})
        cluster.await_topics([topic])
        for number in range(10):
            at = int((NOW + timedelta(minutes=number)).timestamp() * 1000)
            log.append(Outgoing(topic=topic, key=None, value=b"%d" % number, partition=0, timestamp_ms=at))
    bounds, partition = KafkaBounds(KafkaSettings(brokers=kafka)), Partition(topic, 0)

    async def values(start: str, end: str) -> list[bytes | None]:
        spans = await bounds.spans([topic], start=seek(start), end=seek(end))
        assert spans.keys() == {partition, Partition(topic, 1)}
        return [record.value async for chunk in bounds.read(spans) for record in chunk]

    try:
        assert await values("start", "end") == [b"%d" % number for number in range(10)]
        assert await values("3", "5") == [b"3", b"4"]
        assert await values("-2", "end") == [b"8", b"9"]
        assert await values("@2026-03-01T00:03Z", "@2026-03-01T00:05:30Z") == [b"3", b"4", b"5"]
        assert await values("@2026-03-02T00:00Z", "end") == []
    finally:
        bounds.close()
