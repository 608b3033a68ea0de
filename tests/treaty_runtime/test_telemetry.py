"""Spans and metrics of OpenTelemetry: the way of an event from a request through outbox, relay, handler and its next event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import CATALOG, OrderCreated, OrderSeen
from tests.treaty_runtime.relaying import until
from treaty_runtime.errors import Reject
from treaty_runtime.event import BatchContext, Context
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.telemetry import Telemetry
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.transport import Outgoing
from treaty_runtime.transport.memory import MemoryBroker
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.headers import first_values
from treaty_runtime.wire.serde import frame
from treaty_runtime.wiring.connections import MemoryConnections


class Watched:
    """A service on a broker in memory, and what its exporters got."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession] | None, handlers: Handlers, **how: Any) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer, self.broker = provider.get_tracer("test"), MemoryBroker(partitions=1)
        telemetry = Telemetry("order", tracer_provider=provider, meter_provider=MeterProvider([self.reader]), **how)
        group = Group("watchers", handlers, dead_letter="dlq.order", retry=RetryPolicy(delays=()))
        self.runtime = Runtime(
            service="order",
            settings=KafkaSettings(),
            events=CATALOG,
            sessions=sessions,
            groups=[group],
            connections=MemoryConnections(self.broker),
            registry=MemoryRegistry(registers_by_itself=True),
            telemetry=telemetry,
        )

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def counted(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """Attributes and points of a metric."""
        data = self.reader.get_metrics_data()
        assert data is not None
        return [
            (dict(point.attributes or {}), point)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


async def test_an_event_is_followed_from_the_request_to_the_effect_of_the_event_it_caused(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def see(event: OrderCreated, context: Context) -> None:
        context.stage(OrderSeen(number=event.number))

    @handlers.on(OrderSeen)
    async def look(_event: OrderSeen, _context: Context) -> None: ...

    service = Watched(sessions, handlers)
    async with service.runtime as runtime:
        with service.tracer.start_as_current_span("POST /orders") as request:
            await until(lambda: runtime.serde.knows(OrderCreated))
            async with sessions.begin() as session:
                event_id = runtime.outbox.stage(session, OrderCreated(order_id="o-1", number=1))
        await until(lambda: len(service.exporter.get_finished_spans()) == 5)
    context = request.get_span_context()
    assert context is not None
    (sent,), (sent_next,) = service.spans("send order-events"), service.spans("send order-views")
    (first,), (second,) = service.spans("process order-events"), service.spans("process order-views")
    assert sent.kind is SpanKind.PRODUCER
    assert sent.parent is not None
    assert (sent.parent.span_id, sent.parent.trace_id) == (context.span_id, context.trace_id)
    assert first.kind is SpanKind.CONSUMER
    assert first.parent is None
    assert [link.context.span_id for link in first.links] == [context.span_id]
    own = first.get_span_context()
    assert own is not None
    assert sent_next.parent is not None
    assert sent_next.parent.span_id == own.span_id == second.links[0].context.span_id
    attributes = dict(first.attributes or {})
    assert attributes.pop("messaging.kafka.offset") == 0
    assert attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "order-events",
        "messaging.destination.partition.id": "0",
        "messaging.consumer.group.name": "watchers",
        "messaging.message.id": str(event_id),
        "cloudevents.event_id": str(event_id),
        "cloudevents.event_type": "order.created",
        "treaty.attempt": 1,
    }


async def test_a_failing_handler_is_told_by_its_error_s_class_alone() -> None:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def refuse(_event: OrderCreated, _context: Context) -> None:
        raise Reject("a card number 4111 1111 1111 1111")

    service = Watched(None, handlers, trace_as="child")
    async with service.runtime as runtime:
        with service.tracer.start_as_current_span("job") as job:
            await runtime.publisher.publish(OrderCreated(order_id="o-1", number=1))
        await until(lambda: service.broker.records("dlq.order"))
        (failed,) = service.spans("process order-events")
        dead = first_values(service.broker.records("dlq.order")[0].headers)
    assert failed.parent is not None
    assert failed.parent.span_id == job.get_span_context().span_id
    assert (failed.attributes or {})["error.type"] == "Reject"
    assert "4111" not in failed.to_json()
    assert (
        f"{job.get_span_context().span_id:016x}" in dead["traceparent"].decode()
    )  # the dead letter still says whence it came
    ((attributes, point),) = service.counted("messaging.client.consumed.messages")
    assert (attributes["error.type"], attributes["messaging.consumer.group.name"], point.value) == (
        "Reject",
        "watchers",
        1,
    )
    ((attributes, point),) = service.counted("messaging.process.duration")
    assert (attributes["error.type"], point.count) == ("Reject", 1)


async def test_a_batch_is_one_span_that_is_linked_to_every_event_s_own() -> None:
    handlers = Handlers()

    @handlers.batch(OrderSeen, size=2)
    async def count(_events: Sequence[OrderSeen], _context: BatchContext) -> None: ...

    service = Watched(None, handlers)
    async with service.runtime as runtime:
        contexts = set()
        for number in range(2):
            with service.tracer.start_as_current_span("view") as view:
                await runtime.publisher.publish(OrderSeen(number=number))
            contexts.add(view.get_span_context().span_id)
        await until(lambda: service.spans("process order-views"))
    linked = [link.context.span_id for span in service.spans("process order-views") for link in span.links]
    assert set(linked) == contexts
    assert len(linked) == 2
    ((attributes, point),) = service.counted("messaging.client.sent.messages")
    assert (attributes["messaging.destination.name"], point.value) == ("order-views", 2)


async def test_spans_are_named_by_topics_that_are_read_whatever_headers_say() -> None:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def see(_event: OrderCreated, _context: Context) -> None: ...

    @handlers.batch(OrderSeen, size=1)
    async def count(_events: Sequence[OrderSeen], _context: BatchContext) -> None: ...

    service = Watched(None, handlers)
    told = (
        (names.RETRY_PREFIX + names.ORIGINAL_TOPIC, b"made-up"),
        (names.RETRY_PREFIX + names.ORIGINAL_PARTITION, names.int32(0)),
        (names.RETRY_PREFIX + names.ORIGINAL_OFFSET, names.int64(7)),
    )
    async with service.runtime as runtime:
        created, looked = [await runtime.serde.schema_id(each) for each in (OrderCreated, OrderSeen)]
        for topic, value in (
            ("order-events", frame(created) + b"\x06o-1\x02"),
            ("order-views", frame(looked) + b"\x02"),
        ):
            service.broker.append(Outgoing(topic=topic, key=b"k", value=value, headers=told))
        await until(lambda: len(service.exporter.get_finished_spans()) == 2)
    spans = service.exporter.get_finished_spans()
    assert {(span.name, (span.attributes or {})["messaging.destination.name"]) for span in spans} == {
        ("process order-events", "order-events"),
        ("process order-views", "order-views"),
    }


async def test_without_a_span_an_event_carries_none_and_its_handling_begins_a_trace() -> None:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def see(_event: OrderCreated, _context: Context) -> None: ...

    service = Watched(None, handlers)
    async with service.runtime as runtime:
        await runtime.publisher.publish(OrderCreated(order_id="o-1", number=1))
        await until(lambda: service.spans("process order-events"))
    (span,) = service.spans("process order-events")
    assert "traceparent" not in first_values(service.broker.records("order-events")[0].headers)
    assert span.parent is None
    assert not span.links
