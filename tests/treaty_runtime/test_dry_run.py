"""A dry run shows what the current handler would do, on both databases, and leaves nothing behind."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import CATALOG, FakeRegistry, OrderCreated, OrderSeen
from treaty_avro import compile_encoder
from treaty_runtime.errors import Reject
from treaty_runtime.event import BatchContext, Context, Headers
from treaty_runtime.fastapi import routes
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.job import Job
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport.memory import MemoryBroker
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.serde import frame
from treaty_runtime.wiring.connections import MemoryConnections

Sessions = async_sessionmaker[AsyncSession]
LATER = datetime(2030, 1, 1, tzinfo=UTC)
EVENT_ID = b"01890a5d-ac96-774b-bcce-b302099a8057"


class Service:
    """A service whose handlers do what a test asks."""

    def __init__(self, sessions: Sessions, handlers: Handlers | None = None, **policy: Any) -> None:
        """``handlers``: others than its own; ``policy``: of the group."""
        self.sent = list[str]()
        self.act: Any = None
        handlers = self._own() if handlers is None else handlers
        self.runtime = Runtime(
            service="order",
            settings=KafkaSettings(),
            events=CATALOG,
            sessions=sessions,
            groups=[Group("order-view", handlers, dead_letter="dlq.order", **policy)],
            connections=MemoryConnections(MemoryBroker()),
            registry=FakeRegistry(OrderCreated, OrderSeen),
        )

    def _own(self) -> Handlers:
        handlers = Handlers()

        @handlers.on(OrderCreated)
        async def note(event: OrderCreated, context: Context) -> None:
            await self.act(event, context)

        @handlers.on(OrderSeen, external=True)
        async def mail(_event: OrderSeen, _context: Context) -> None:
            self.sent.append("mail")

        return handlers

    async def ask(self, event: OrderCreated | OrderSeen, *, value: bytes | None = None) -> Any:
        encoded = frame(1 if isinstance(event, OrderCreated) else 2) + compile_encoder(type(event))(event)
        return await self.runtime.dry_run.run(
            "order-view", key=b"o-1", value=encoded if value is None else value, headers=headers(event.__topic__)
        )


def headers(topic: str) -> Headers:
    prefix = names.DEAD_LETTER_PREFIX
    return (
        (names.ID, EVENT_ID),
        (prefix + names.ORIGINAL_TOPIC, topic.encode()),
        (prefix + names.ORIGINAL_PARTITION, names.int32(0)),
        (prefix + names.ORIGINAL_OFFSET, names.int64(7)),
    )


@pytest.fixture
async def service(database: AsyncEngine, sessions: Sessions) -> AsyncIterator[Service]:
    """A service with a table of its own."""
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE effect (number int PRIMARY KEY)"))
    made = Service(sessions)
    yield made
    await made.runtime.stop()


ORDER = OrderCreated(order_id="o-1", number=7)


async def test_what_a_handler_would_do_is_told_and_nothing_of_it_stays(service: Service, sessions: Sessions) -> None:
    async def act(event: OrderCreated, context: Context) -> None:
        assert context.is_dry_run
        await context.session.execute(text("INSERT INTO effect VALUES (:n), (8)"), {"n": event.number})
        await context.session.execute(text("UPDATE effect SET number = number + 10"))
        context.stage(OrderSeen(number=event.number), key="o-1")
        context.schedule(Job(queue="late", id="o-1", due=LATER, payload=b""))
        await context.outside("mail", "o-1", lambda: pytest.fail("nothing may leave"))
        await context.session.commit()

    service.act = act
    answer = await service.ask(ORDER)
    assert (answer.outcome, answer.error) == ("handled", None)
    assert {table: answer.rows[table] for table in ("effect", "inbox", "outbox")} == {
        "effect": 4,
        "inbox": 1,
        "outbox": 1,
    }
    assert answer.staged == [{"type": "order.seen", "topic": "order-views"}, {"job": "o-1", "queue": "late"}]
    assert answer.outside == [{"name": "mail", "key": "o-1"}]
    async with sessions() as session:
        for table in ("effect", "inbox", "outbox", "delayed"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table  # noqa: S608  # constants


async def test_a_handler_that_fails_says_why_without_personal_data(service: Service) -> None:
    async def act(_event: OrderCreated, _context: Context) -> None:
        raise ZeroDivisionError("card 4111111111111111 of ann@example.com")

    service.act = act
    answer = await service.ask(ORDER)
    assert answer.outcome == "failed"
    assert answer.error == "builtins.ZeroDivisionError: card ••• of •••"


async def test_a_rejection_is_told_apart_from_a_failure(service: Service) -> None:
    async def act(_event: OrderCreated, _context: Context) -> None:
        raise Reject("no such goods")

    service.act = act
    assert (await service.ask(ORDER)).outcome == "rejected"
    assert (await service.ask(ORDER, value=b"invalid")).outcome == "rejected"


async def test_a_statement_that_the_database_refuses_is_a_failure(service: Service) -> None:
    async def act(_event: OrderCreated, context: Context) -> None:
        await context.session.execute(text("INSERT INTO effect VALUES (1), (1)"))

    service.act = act
    assert (await service.ask(ORDER)).outcome == "failed"


async def test_an_event_that_was_handled_after_all_would_be_dropped(service: Service, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        row = (
            "INSERT INTO inbox (consumer, event_id, topic, partition, \"offset\") VALUES ('order-view', :id, 't', 0, 0)"
        )
        kept = (
            EVENT_ID.decode()
            if sessions.kw["bind"].dialect.name == "postgresql"
            else EVENT_ID.decode().replace("-", "")
        )
        await session.execute(text(row), {"id": kept})
    assert (await service.ask(ORDER)).outcome == "duplicate"


async def test_an_external_handler_without_outside_is_not_run(service: Service) -> None:
    answer = await service.ask(OrderSeen(number=1))
    assert answer.outcome == "refused"
    assert "does not use context.outside" in str(answer.error)
    assert service.sent == []


async def test_what_a_batch_handler_asks_of_the_outside_is_only_noted(sessions: Sessions) -> None:
    handlers, sent, told = Handlers(), list[int](), list[bool]()

    @handlers.batch(OrderCreated, external=True)
    async def mail(events: Sequence[OrderCreated], batch: BatchContext) -> None:
        for event, envelope in zip(events, batch.envelopes, strict=True):

            async def send(number: int = event.number) -> None:
                sent.append(number)

            context = batch.of(envelope)
            told.append(context.is_dry_run and batch.is_dry_run)
            await context.outside("smtp", str(envelope.id), send)

    service = Service(sessions, handlers)
    answer = await service.ask(ORDER)
    assert (answer.outcome, [each["name"] for each in answer.outside]) == ("handled", ["smtp"])
    assert (sent, told) == ([], [True])


async def test_what_the_group_calls_an_outage_is_one(sessions: Sessions) -> None:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(_event: OrderCreated, _context: Context) -> None:
        raise LookupError("the cache is away")

    assert (await Service(sessions, handlers, outages=(LookupError,)).ask(ORDER)).outcome == "outage"


async def test_a_handler_that_hangs_ends_with_its_time(service: Service) -> None:
    async def act(_event: OrderCreated, context: Context) -> None:
        assert context.deadline > datetime.now(UTC) - timedelta(minutes=1)
        raise TimeoutError

    service.act = act
    assert (await service.ask(ORDER)).outcome == "failed"


async def test_bytes_without_a_first_place_are_refused(service: Service) -> None:
    answer = await service.runtime.dry_run.run("order-view", key=None, value=b"x", headers=())
    assert (answer.outcome, "treaty did not write" in str(answer.error)) == ("refused", True)


# -- over HTTP


def client_of(service: Service, *, is_operator: bool | None) -> httpx.AsyncClient:
    def guard() -> None:
        if not is_operator:
            raise HTTPException(403)

    app = FastAPI()
    app.include_router(routes(service.runtime, guard=None if is_operator is None else guard))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://order")


def body(**changed: Any) -> dict[str, Any]:
    value = frame(1) + compile_encoder(OrderCreated)(ORDER)
    told = {
        "group": "order-view",
        "key": b64encode(b"o-1").decode(),
        "value": b64encode(value).decode(),
        "headers": [[name, b64encode(text).decode()] for name, text in headers("order-events")],
    }
    return told | changed


async def test_an_operator_may_ask_over_http_and_nobody_else(service: Service) -> None:
    async def act(_event: OrderCreated, _context: Context) -> None:
        """Does nothing."""

    service.act = act
    async with client_of(service, is_operator=True) as client:
        answer = await client.post("/treaty/dry-run", json=body())
        assert (answer.status_code, answer.json()["outcome"]) == (200, "handled")
        assert (await client.post("/treaty/dry-run", json=body(group="none"))).status_code == 404
    async with client_of(service, is_operator=False) as client:
        assert (await client.post("/treaty/dry-run", json=body())).status_code == 403
    async with client_of(service, is_operator=None) as client:
        assert (await client.post("/treaty/dry-run", json=body())).status_code == 404


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"group": "order-view", "value": "%%"}', b"[" * 50_000, b'"' + b"x" * (4 << 20)]
)
async def test_a_malformed_request_is_told_what_is_wanted(service: Service, content: bytes) -> None:
    async with client_of(service, is_operator=True) as client:
        answer = await client.post("/treaty/dry-run", content=content)
    assert answer.status_code == 422
    assert "base64" in answer.json()["message"]
