"""Health, readiness and metrics over HTTP, as an orchestrator and Prometheus see them."""

from __future__ import annotations

import asyncio
import sys

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import CATALOG, FakeRegistry, OrderCreated, OrderSeen
from tests.treaty_runtime.relaying import until
from tests.treaty_runtime.scripted import Script
from treaty_runtime.errors import InvalidSettings
from treaty_runtime.event import Context, Partition, Place, Record
from treaty_runtime.fastapi import lifespan, routes
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.healthcheck import main
from treaty_runtime.metrics import Metrics
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import Assigned, Lost, Records
from treaty_runtime.transport.memory import MemoryBroker
from treaty_runtime.wiring.connections import MemoryConnections

Sessions = async_sessionmaker[AsyncSession]
COUNTED = 'kafka_producer_messages_total{event_type="order.created",service="order",topic="order-events"} 1.0'
IN_WORK = ("in_flight_messages", "watermark_gap_messages")


class Application:
    """A service with one runtime and its routes."""

    def __init__(self, sessions: Sessions) -> None:
        self.metrics, self.broker = Metrics("order"), MemoryBroker()
        self.runtime = Runtime(
            service="order",
            settings=KafkaSettings(),
            events=CATALOG,
            sessions=sessions,
            observers=[self.metrics],
            connections=MemoryConnections(self.broker),
            registry=FakeRegistry(OrderCreated, OrderSeen),
        )
        self.app = FastAPI(lifespan=lifespan(self.runtime))
        self.app.include_router(routes(self.runtime, metrics=self.metrics))
        transport = httpx.ASGITransport(self.app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://order")


async def test_settings_that_are_none_keep_the_application_from_starting() -> None:
    settings = KafkaSettings(extra={"producer.no.such.property": "1"})
    runtime = Runtime(service="order", settings=settings, events=CATALOG, registry=FakeRegistry(OrderCreated))
    app = FastAPI(lifespan=lifespan(runtime))
    with pytest.raises(InvalidSettings, match=r"no\.such\.property"):
        await app.router.lifespan_context(app).__aenter__()


async def test_a_healthy_service_says_so_and_shows_its_metrics(sessions: Sessions) -> None:
    service = Application(sessions)
    async with service.app.router.lifespan_context(service.app):

        async def is_ready() -> bool:
            return (await service.client.get("/readyz")).status_code == 200

        await until(is_ready)
        async with sessions.begin() as session:
            service.runtime.outbox.stage(session, OrderCreated(order_id="o-1", number=1))

        async def is_counted() -> bool:
            return COUNTED in (await service.client.get("/metrics")).text

        await until(is_counted)
        health, ready = await service.client.get("/healthz"), await service.client.get("/readyz")
        exposition = await service.client.get("/metrics")
    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert ready.json() == {
        "database": "ok",
        "kafka": "ok",
        "registry": "ok",
        "redis": "ok",
        "schemas": "ok",
        "groups": {},
        "outbox_oldest_seconds": ready.json()["outbox_oldest_seconds"],
    }
    assert exposition.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_what_was_in_work_of_partitions_that_left_is_shown_no_more() -> None:
    handlers, may_end = Handlers(), asyncio.Event()

    @handlers.raw("orders")
    async def wait(_record: Record, _context: Context) -> None:
        await may_end.wait()

    mine = frozenset({Partition("orders", 0)})
    script = Script([Assigned(mine, {}), Records([Record(Place("orders", 0, 0), b"k", b"v")])])
    runtime = Runtime(
        service="order",
        settings=KafkaSettings(),
        events={},
        groups=[Group("view", handlers, dead_letter="dlq.order", has_retry_topics=False)],
        connections=script,
        registry=FakeRegistry(),
    )
    app = FastAPI(lifespan=lifespan(runtime))
    app.include_router(routes(runtime, metrics=Metrics("order")))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://order")
    gauges = [f'kafka_consumer_{name}{{consumergroup="view",topic="orders"}}' for name in IN_WORK]

    async def shown(value: str) -> bool:
        text = (await client.get("/metrics")).text
        return all(f"{gauge} {value}" in text for gauge in gauges)

    async with app.router.lifespan_context(app):
        await until(lambda: shown("1.0"))
        script.next.put_nowait(Lost(mine))
        await until(lambda: shown("0.0"))


async def test_a_service_without_its_tables_is_not_ready_but_alive(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await session.execute(text("DELETE FROM treaty_layout"))
    service = Application(sessions)
    async with service.app.router.lifespan_context(service.app):

        async def is_named() -> bool:
            return "Outbox layout" in (await service.client.get("/readyz")).text

        await until(is_named)
        assert (await service.client.get("/readyz")).status_code == 503
        assert (await service.client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "Usage: python -m treaty_runtime.healthcheck"),
        (["file:///etc/passwd"], 2, "Usage:"),
        (["http://127.0.0.1:1/readyz"], 1, "http://127.0.0.1:1/readyz: "),
    ],
)
def test_the_health_check_says_in_one_line_what_is_wrong(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    assert capsys.readouterr().err.startswith(says)


async def test_the_health_check_follows_the_status(port: int) -> None:
    status = [b"200 OK"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + status[0] + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port):
        codes = []
        for status[0] in (b"200 OK", b"503 Service Unavailable"):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "treaty_runtime.healthcheck", f"http://127.0.0.1:{port}/readyz"
            )
            codes.append(await asyncio.wait_for(process.wait(), 90))
    assert codes == [0, 1]
