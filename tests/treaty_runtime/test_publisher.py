"""Publishing without an outbox: what is on the record, what the answer says, what failure means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from treaty_avro import EncodeError
from treaty_runtime.errors import InvalidKey, PublishFailed, QueueFull, SchemaNotRegistered
from treaty_runtime.hooks import Hooks, KeyMissing, Published, PublishRefused
from treaty_runtime.publish.publisher import Publisher
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.transport import Fault, FaultKind
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.serde import Serde, schema_id_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = OrderCreated(order_id="o-1", number=3)
SOON = timedelta(milliseconds=50)


class Desk:
    """A publisher on a broker in memory."""

    def __init__(self, capacity: int = 1000) -> None:
        self.broker = MemoryBroker(partitions=1, now=lambda: NOW)
        self.registry = MemoryRegistry(registers_by_itself=True)
        self.serde = Serde(self.registry)
        self.producer = MemoryProducer(self.broker, capacity=capacity)
        self.hooks: list[object] = []
        self.publisher = Publisher(
            self.producer,
            self.serde,
            service="order",
            registry_url="http://user:secret@registry.test",
            entropy=Random(0).randbytes,
            hooks=Hooks([self.hooks.append]),
            now=lambda: NOW,
        )


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    yield made
    await made.producer.close()


async def test_the_answer_says_where_the_event_is(desk: Desk) -> None:
    answer = await desk.publisher.publish(ORDER)
    (record,) = desk.broker.records("order-events")
    assert (answer.topic, answer.partition, answer.offset) == record.place
    assert (answer.timestamp, answer.schema_id) == (NOW, 1)
    assert schema_id_of(record.value or b"") == 1
    assert record.key == b"o-1"
    told = names.first_values(record.headers)
    assert told[names.ID] == str(answer.event_id).encode()
    assert told[names.SOURCE] == b"/mall/order"
    assert told[names.DATASCHEMA] == b"http://registry.test/schemas/ids/1"
    assert told[names.CORRELATION_ID] == told[names.ID]
    assert names.CAUSATION_ID not in told
    assert [type(hook) for hook in desk.hooks] == [Published]


async def test_ids_and_headers_of_the_caller_are_kept(desk: Desk) -> None:
    one, two, three = UUID(int=1), UUID(int=2), UUID(int=3)
    await desk.publisher.publish(
        ORDER, key="k", event_id=one, correlation_id=two, causation_id=three, headers={"traceparent": b"00-1-2-01"}
    )
    (record,) = desk.broker.records("order-events")
    told = names.first_values(record.headers)
    assert [UUID(told[name].decode()) for name in (names.ID, names.CORRELATION_ID, names.CAUSATION_ID)] == [
        one,
        two,
        three,
    ]
    assert (record.key, told[names.SUBJECT], told["traceparent"]) == (b"k", b"k", b"00-1-2-01")


async def test_an_event_without_a_key_gets_one_that_orders_nothing(desk: Desk) -> None:
    answer = await desk.publisher.publish(OrderSeen(number=1))
    (record,) = desk.broker.records("order-views")
    assert record.key == f"diag-{answer.event_id}".encode()
    assert any(isinstance(hook, KeyMissing) for hook in desk.hooks)


@pytest.mark.parametrize("key", ["", "x" * 513])
async def test_an_impossible_key_is_refused_before_anything_is_sent(desk: Desk, key: str) -> None:
    with pytest.raises(InvalidKey):
        await desk.publisher.publish(ORDER, key=key)
    assert desk.broker.records("order-events") == []


async def test_what_the_caller_did_wrong_is_not_a_failure_of_publishing(desk: Desk) -> None:
    with pytest.raises(EncodeError):
        await desk.publisher.publish(OrderCreated(order_id="o", number=2**40))
    desk.serde.schemas = MemoryRegistry()
    with pytest.raises(SchemaNotRegistered):
        await desk.publisher.publish(OrderSeen(number=1))


async def test_an_unknown_schema_id_while_the_registry_is_away_can_be_tried_again(desk: Desk) -> None:
    desk.registry.is_away = True
    with pytest.raises(PublishFailed, match="registry") as caught:
        await desk.publisher.publish(ORDER)
    assert caught.value.is_retriable
    assert desk.broker.records("order-events") == []


async def test_a_refused_record_is_not_tried_again_and_is_told(desk: Desk) -> None:
    desk.broker.refusals["order-events"] = Fault("MSG_SIZE_TOO_LARGE", "too large", FaultKind.REFUSED)
    with pytest.raises(PublishFailed, match="MSG_SIZE_TOO_LARGE: too large") as caught:
        await desk.publisher.publish(ORDER)
    assert not caught.value.is_retriable
    assert [hook.error_type for hook in desk.hooks if isinstance(hook, PublishRefused)] == ["MSG_SIZE_TOO_LARGE"]


async def test_without_an_answer_in_time_publishing_has_failed_for_now(desk: Desk) -> None:
    desk.broker.is_down = True
    with pytest.raises(PublishFailed, match=r"No acknowledgement within 0\.05 s") as caught:
        await desk.publisher.publish(ORDER, timeout=SOON)
    assert caught.value.is_retriable
    with pytest.raises(PublishFailed, match="of 2 events") as caught:
        await desk.publisher.publish_many([ORDER, ORDER], timeout=SOON)
    assert caught.value.failures == dict.fromkeys(range(2), "No acknowledgement within 0.05 s.")


async def test_of_many_events_those_that_found_no_room_in_time_have_failed_too() -> None:
    desk = Desk(capacity=10)
    desk.broker.is_down = True
    with pytest.raises(PublishFailed) as caught:
        await desk.publisher.publish_many([ORDER] * 25, timeout=SOON)
    assert caught.value.is_retriable
    assert caught.value.failures.keys() == set(range(25))


async def test_no_events_are_published_at_once(desk: Desk) -> None:
    assert await desk.publisher.publish_many([]) == []


async def test_many_events_keep_their_order_and_wait_once(desk: Desk) -> None:
    answers = await desk.publisher.publish_many(OrderCreated(order_id="o-1", number=number) for number in range(100))
    assert [answer.offset for answer in answers] == list(range(100))


async def test_of_many_events_each_failure_is_named_after_all_have_settled(desk: Desk) -> None:
    desk.broker.refusals["order-views"] = Fault("POLICY_VIOLATION", "no", FaultKind.REFUSED)
    with pytest.raises(PublishFailed, match="1 of 3") as caught:
        await desk.publisher.publish_many([ORDER, OrderSeen(number=1), ORDER])
    assert caught.value.failures == {1: "POLICY_VIOLATION: no"}
    assert len(desk.broker.records("order-events")) == 2


async def test_one_event_that_cannot_be_encoded_sends_none(desk: Desk) -> None:
    with pytest.raises(EncodeError):
        await desk.publisher.publish_many([ORDER, OrderCreated(order_id="o", number=2**40)])
    assert desk.broker.records("order-events") == []


async def test_many_more_events_than_the_queue_holds_wait_for_room() -> None:
    desk = Desk(capacity=10)
    answers = await desk.publisher.publish_many(OrderCreated(order_id="o", number=number) for number in range(95))
    assert [answer.offset for answer in answers] == list(range(95))


async def test_nowait_needs_a_known_class_and_raises_instead_of_waiting() -> None:
    desk = Desk(capacity=1)
    with pytest.raises(PublishFailed, match="warm"):
        desk.publisher.publish_nowait(ORDER)
    await desk.serde.warm([OrderCreated])
    pending = desk.publisher.publish_nowait(ORDER)
    with pytest.raises(QueueFull):
        desk.publisher.publish_nowait(ORDER)
    assert (await pending).event_id == pending.event_id


async def test_a_pending_event_that_nobody_awaits_is_no_forgotten_error(desk: Desk) -> None:
    await desk.serde.warm([OrderCreated])
    desk.broker.refusals["order-events"] = Fault("POLICY_VIOLATION", "no", FaultKind.REFUSED)
    desk.publisher.publish_nowait(ORDER)
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    await desk.producer.flush(timedelta(seconds=5))
    assert complaints == []
    assert any(isinstance(hook, PublishRefused) for hook in desk.hooks)


async def test_an_observer_that_raises_is_dropped_and_the_event_is_published(desk: Desk) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("observer")

    hooks = Hooks([broken])
    assert bool(hooks)
    hooks("anything")
    assert not hooks


def test_an_observer_that_raises_in_what_it_caused_itself_is_dropped_once() -> None:
    hooks = Hooks()

    def alerts(hook: object) -> None:
        if hook == "handled":
            hooks("alert")
        raise ConnectionError

    hooks.__init__([alerts])  # type: ignore[misc]  # the observer and its hooks know each other
    hooks("handled")
    assert not hooks
