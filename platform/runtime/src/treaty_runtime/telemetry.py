"""OpenTelemetry: a span for each event sent and each one handled, and its messaging metrics, over the runtime's hooks.

An event carries the context of the span that staged or published it (`traceparent`), through the outbox, retry topics and dead letters.
Sending it is a child of that span; handling it is linked to it, or with ``trace_as="child"`` a child too. No payload, key or exception's
text is recorded. Names are those of the semantic conventions for messaging and Kafka, 1.37.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from treaty_runtime import hooks as seen
from treaty_runtime.event import Envelope, Outcome

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
Attributes = dict[str, AttributeValue]

_SCOPE = "treaty_runtime"
_W3C = TraceContextTextMapPropagator()
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Buckets of durations, as the conventions advise."""


class Telemetry:
    """Traces and counts one service: pass it as ``Runtime(telemetry=…)``. No provider: the program's global one.

    `now` counts nanoseconds since the epoch.
    """

    def __init__(
        self,
        service: str,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        trace_as: Literal["link", "child"] = "link",
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._service, self._is_child, self._now = service, trace_as == "child", now
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        self._measure(metrics.get_meter(_SCOPE, meter_provider=meter_provider))
        self._tellers: Mapping[type[object], Callable[..., None]] = {
            seen.Published: self._published,
            seen.PublishRefused: self._refused,
            seen.Handled: self._handled,
            seen.Failed: self._failed,
        }

    def _measure(self, meter: metrics.Meter) -> None:
        durations: dict[str, Any] = {"unit": "s", "explicit_bucket_boundaries_advisory": _SECONDS}
        self._sent = meter.create_counter(
            "messaging.client.sent.messages", unit="{message}", description="Events that were sent, or refused."
        )
        self._sending = meter.create_histogram(
            "messaging.client.operation.duration", description="From produce to the broker's answer.", **durations
        )
        self._consumed = meter.create_counter(
            "messaging.client.consumed.messages", unit="{message}", description="Attempts at events."
        )
        self._processing = meter.create_histogram(
            "messaging.process.duration", description="How long handlers took.", **durations
        )

    def __call__(self, hook: object) -> None:
        """Hears what happened."""
        teller = self._tellers.get(type(hook))
        if teller is not None:
            teller(hook)

    def here(self) -> Mapping[str, str]:
        """W3C headers of the current span; empty without one."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier

    async def around(
        self, work: Awaitable[object], *, group: str, topic: str, envelopes: Sequence[Envelope[Any]]
    ) -> object:
        """Awaits a handler inside its span, named by the topic. What it stages belongs to that span."""
        with self._process_span(group, topic, envelopes) as span:
            try:
                became = await work
            except BaseException as error:
                _fail(span, type(error).__name__)
                raise
            if became is Outcome.DUPLICATE:
                span.set_attribute("treaty.outcome", "duplicate")
            return became

    def _process_span(self, group: str, topic: str, envelopes: Sequence[Envelope[Any]]) -> Any:
        contexts = [_context_of(each.headers) for each in envelopes]
        links = [Link(found) for context in contexts if (found := _span_context(context)).is_valid]
        first = envelopes[0]
        attributes = _of_topic("process", topic) | {"messaging.consumer.group.name": group}
        if len(envelopes) == 1:
            attributes |= (
                _of_event(str(first.id), first.type) | _of_place(first.place) | {"treaty.attempt": first.attempt}
            )
        else:
            attributes["messaging.batch.message_count"] = len(envelopes)
        is_child = self._is_child and len(envelopes) == 1
        return self._tracer.start_as_current_span(
            f"process {topic}",
            context=contexts[0] if is_child else Context(),
            kind=SpanKind.CONSUMER,
            attributes=attributes,
            links=() if is_child else links,
            # Their texts may hold values of the event.
            record_exception=False,
            set_status_on_exception=False,
        )

    def _published(self, hook: seen.Published) -> None:
        attributes = _of_topic("send", hook.topic)
        self._sent.add(1, attributes)
        self._sending.record(hook.seconds, attributes)
        self._send_span(hook, _of_place(hook.place), seconds=hook.seconds).end(self._now())

    def _refused(self, hook: seen.PublishRefused) -> None:
        self._sent.add(1, _of_topic("send", hook.topic) | {"error.type": hook.error_type})
        span = self._send_span(hook, {}, seconds=0.0)
        _fail(span, hook.error_type)
        span.end(self._now())

    def _send_span(self, hook: seen.Published | seen.PublishRefused, place: Attributes, *, seconds: float) -> Span:
        return self._tracer.start_span(
            f"send {hook.topic}",
            context=_W3C.extract(dict(hook.trace), context=Context()),
            kind=SpanKind.PRODUCER,
            attributes=_of_topic("send", hook.topic) | _of_event(str(hook.event_id), hook.event_type) | place,
            start_time=self._now() - int(seconds * 1e9),
        )

    def _handled(self, hook: seen.Handled) -> None:
        self._processed(hook.group, hook.topic, hook.seconds, {})

    def _failed(self, hook: seen.Failed) -> None:
        self._processed(hook.group, hook.topic, hook.seconds, {"error.type": type(hook.error).__name__})

    def _processed(self, group: str, topic: str, seconds: float, error: Attributes) -> None:
        attributes = _of_topic("process", topic) | {"messaging.consumer.group.name": group} | error
        self._consumed.add(1, attributes)
        self._processing.record(seconds, attributes)


def _fail(span: Span, error_type: str) -> None:
    span.set_attribute("error.type", error_type)
    span.set_status(StatusCode.ERROR)


def _of_topic(operation: str, topic: str) -> Attributes:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
    }


def _of_event(event_id: str, event_type: str) -> Attributes:
    return {
        "messaging.message.id": event_id,
        "cloudevents.event_id": event_id,
        "cloudevents.event_type": event_type,
    }


def _of_place(place: Any) -> Attributes:
    return {"messaging.destination.partition.id": str(place.partition), "messaging.kafka.offset": place.offset}


def _context_of(headers: Mapping[str, bytes]) -> Context:
    carrier = {name: headers[name].decode("ascii", "replace") for name in (TRACEPARENT, TRACESTATE) if name in headers}
    return _W3C.extract(carrier, context=Context())


def _span_context(context: Context) -> trace.SpanContext:
    return trace.get_current_span(context).get_span_context()
