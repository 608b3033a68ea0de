"""Held keys on real parts: a runtime on a real broker and PostgreSQL is stopped while keys are held, and its successor goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import FakeRegistry
from tests.treaty_runtime.relaying import until
from tests.treaty_runtime.test_runtime_kafka import _create, _event_on
from treaty_runtime.event import Context
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.tables import HeldRow

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
ORDERS, EVENTS_EACH = 4, 12
HANDLED = Table(
    "handled",
    MetaData(),
    Column("at", Integer, primary_key=True),
    Column("order_id", String(20)),
    Column("number", Integer),
)


async def test_held_keys_keep_their_order_over_a_restart(
    kafka: str, unique: Callable[[str], str], postgres: str
) -> None:
    event, group, dead = _event_on(unique("order-events")), unique("order-view"), unique("dlq.order")
    await _create(kafka, event.__topic__, dead, *(f"retry.{group}.{delay}" for delay in ("0s", "3s")))
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)
    async with engine.begin() as connection:
        await connection.run_sync(HANDLED.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    is_broken = True
    handlers = Handlers()

    @handlers.on(event, on_failure="hold_key")
    async def handle(order: Any, context: Context) -> None:
        await context.session.execute(insert(HANDLED).values(order_id=order.order_id, number=order.number))
        if is_broken and order.number == 3 and order.order_id != "o-0":
            raise RuntimeError("not yet")

    def runtime() -> Runtime:
        retry = RetryPolicy(delays=("3s",) * 200, jitter=0)
        return Runtime(
            service="order",
            settings=KafkaSettings(brokers=kafka),
            events={event.__avro_fullname__: event},
            sessions=sessions,
            groups=[Group(group, handlers, dead_letter=dead, retry=retry)],
            registry=FakeRegistry(event),
        )

    async def free_and_held() -> bool:
        done = await _handled(sessions)
        async with sessions() as session:
            waiting = await session.scalar(select(func.count()).select_from(HeldRow))
        return len(done) == EVENTS_EACH + (ORDERS - 1) * 3 and waiting == (ORDERS - 1) * (EVENTS_EACH - 3)

    async def all_are_handled() -> bool:
        return len(await _handled(sessions)) >= ORDERS * EVENTS_EACH

    first = runtime()
    async with first:
        for number in range(EVENTS_EACH):
            async with sessions.begin() as session:
                for order in range(ORDERS):
                    first.outbox.stage(session, event(order_id=f"o-{order}", number=number))  # type: ignore[call-arg]  # the Protocol has no constructor
        await until(free_and_held)
    is_broken = False
    async with runtime():
        await until(all_are_handled)
    handled = await _handled(sessions)
    for order in range(ORDERS):
        assert [number for order_id, number in handled if order_id == f"o-{order}"] == list(range(EVENTS_EACH))
    assert len(handled) == ORDERS * EVENTS_EACH
    await engine.dispose()


async def _handled(sessions: async_sessionmaker[AsyncSession]) -> list[tuple[str, int]]:
    async with sessions() as session:
        return [(row.order_id, row.number) for row in await session.execute(select(HANDLED).order_by(HANDLED.c.at))]
