"""Diagnostics over HTTP: publish a test event directly, wait for Kafka's acknowledgement, ask whether it came back."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Annotated, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints

from mall.errors import KafkaUnavailable, NotFound
from mall.order import store
from mall.requests import Body, Line, Note
from mall.web import AtDesk, Who
from mall_events.order import TestEvent
from treaty_runtime.errors import Outage, PublishFailed, SchemaNotRegistered
from treaty_runtime.event import Event
from treaty_runtime.publish.answers import Published

routes = APIRouter()
PER_MINUTE = 30
ACK_WITHIN = timedelta(seconds=5)
PAGE_FILES = {
    "index.html": "text/html; charset=utf-8",
    "quick-test.css": "text/css; charset=utf-8",
    "quick-test.js": "text/javascript; charset=utf-8",
}
# Nothing from elsewhere, nothing inline, no frame around it.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
Key = Annotated[Line, StringConstraints(max_length=200)]


class Publish(Protocol):
    """Publishes an event directly; `Publisher.publish` is the one."""

    def __call__(self, event: Event, *, key: str | None = None, timeout: timedelta = ...) -> Awaitable[Published]: ...


class TestRequest(Body):
    """A test event."""

    __test__ = False  # pytest would take the name for a test

    key: Key | None = None
    note: Note | None = None
    operator: Annotated[Line, Field(max_length=100)] | None = None


class Receipt(BaseModel):
    """Where Kafka put the event."""

    topic: str
    key: str
    time: datetime
    event_type: str
    event_id: UUID
    partition: int
    offset: int
    schema_id: int


class Arrival(BaseModel):
    """Whether the event came back, and after how long."""

    state: Literal["pending", "consumed"]
    milliseconds: int | None


def _publish(request: Request) -> Publish:
    publish: Publish = request.app.state.publish
    return publish


AtPublisher = Annotated[Publish, Depends(_publish)]


@routes.post("/api/diagnostics/kafka/order-events")
async def send_test_event(body: TestRequest, who: Who, desk: AtDesk, publish: AtPublisher, request: Request) -> Receipt:
    """Publish a TestEvent and wait for the acknowledgement; the key is the caller's or `diag-<uuid>`."""
    await request.app.state.limits.spend(f"diagnostics:{who.user_id}", per_minute=PER_MINUTE)
    now = desk.now()
    key = body.key or f"diag-{request.app.state.new_uuid()}"
    event = TestEvent(
        test_id=key, sent_from="order", event_time=now, note=body.note, operator=body.operator or who.operator
    )
    acknowledged = await _acknowledged(publish, event, request.app.state.brokers)
    async with desk.open() as work:
        row = await store.diagnostic(work.session, acknowledged.event_id)
        row.user_id = who.user_id
    return Receipt(
        topic=acknowledged.topic,
        key=key,
        time=now,
        event_type=TestEvent.__event_type__,
        event_id=acknowledged.event_id,
        partition=acknowledged.partition,
        offset=acknowledged.offset,
        schema_id=acknowledged.schema_id,
    )


async def _acknowledged(publish: Publish, event: TestEvent, brokers: str) -> Published:
    try:
        return await publish(event, timeout=ACK_WITHIN)
    except SchemaNotRegistered as error:
        raise KafkaUnavailable(str(error)) from None
    except (PublishFailed, Outage):
        seconds = int(ACK_WITHIN.total_seconds())
        raise KafkaUnavailable(f"No acknowledgement from {brokers} within {seconds} s.") from None


@routes.get("/api/diagnostics/kafka/order-events/{event_id}")
async def arrival(event_id: UUID, who: Who, desk: AtDesk) -> Arrival:
    """Whether group `quick-check` has seen one of the caller's test events."""
    async with desk.look() as session:
        row = await store.find_test_event(session, event_id)
    if row is None or row.user_id != who.user_id:
        raise NotFound
    if row.sent_at is None or row.consumed_at is None:
        return Arrival(state="pending", milliseconds=None)
    milliseconds = max(0, round((row.consumed_at - row.sent_at) / timedelta(milliseconds=1)))
    return Arrival(state="consumed", milliseconds=milliseconds)


@routes.get("/quick-test", include_in_schema=False)
async def page() -> Response:
    """The quick-test panel: send a test event and watch it come back."""
    return _file("index.html")


@routes.get("/quick-test/{name}", include_in_schema=False)
async def page_file(name: str) -> Response:
    """A part of the panel."""
    if name not in PAGE_FILES:
        raise NotFound("There is no such address.")
    return _file(name)


def _file(name: str) -> Response:
    content = files("mall.order").joinpath("quick_test", name).read_bytes()
    return Response(content, media_type=PAGE_FILES[name], headers=PAGE_HEADERS)
