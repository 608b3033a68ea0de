"""Headers that Python's client cannot tell: their record is handled or dead-lettered like one without headers, and its neighbours flow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.treaty_runtime.foreign_producer import produce
from tests.treaty_runtime.order_events import FakeRegistry
from tests.treaty_runtime.relaying import until
from tests.treaty_runtime.test_runtime_kafka import _create, _event_on
from treaty_runtime.event import Context, Envelope, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.kafka.log import Log
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.wire.event_id import derived_id
from treaty_runtime.wire.serde import Serde

pytestmark = pytest.mark.kafka
NO_TEXT, MANY = b"\xff\xfe", 100


async def test_a_record_with_a_header_whose_name_is_no_text_stops_nobody(
    kafka: str, unique: Callable[[str], str]
) -> None:
    event, group, dead = _event_on(unique("order-events")), unique("order-view"), unique("dlq.order")
    await _create(kafka, event.__topic__, dead, f"retry.{group}.1s")
    registry, handlers, letters = FakeRegistry(event), Handlers(), Handlers()
    handled: list[tuple[int, Envelope[Any]]] = []
    buried: list[Record] = []

    @handlers.on(event)
    async def handle(order: Any, context: Context) -> None:
        if order.number == 2:
            raise ValueError("no such order")
        handled.append((order.number, context.envelope))

    @letters.raw(dead)
    async def bury(record: Record, context: Context) -> None:
        buried.append(record)

    serde = Serde(registry)
    await serde.warm([event])
    values = [serde.encode(event(order_id="o-1", number=number)).value for number in (1, 2, 3)]  # type: ignore[call-arg]  # the Protocol has no constructor
    produce(kafka, event.__topic__, [*values, *[b"invalid"] * MANY], header=NO_TEXT)
    runtime = Runtime(
        service="order",
        settings=KafkaSettings(brokers=kafka),
        events={event.__avro_fullname__: event},
        groups=[
            Group(group, handlers, dead_letter=dead, retry=RetryPolicy(delays=("1s",), in_place_up_to=timedelta(0))),
            Group(unique("undertaker"), letters, dead_letter=dead, has_retry_topics=False),
        ],
        registry=registry,
    )
    async with runtime:
        await until(lambda: len(handled) == 2 and len(buried) == 1 + MANY)
    assert [number for number, _ in handled] == [1, 3]
    first = handled[0][1]
    assert first.headers == {}
    assert first.id == derived_id(*map(str, first.place))
    assert {record.value for record in buried} == {values[1], b"invalid"}
    assert all(dict(record.headers)["treaty-reason"] for record in buried)
    with Log(kafka) as log:
        assert [record.headers for record in log.read(log.spans([event.__topic__]))] == [()] * (3 + MANY)
