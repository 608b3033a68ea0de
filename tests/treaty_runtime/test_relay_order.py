"""The relay's laws, one round at a time: deleted after its acknowledgement, each key in order, whatever others do meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.treaty_runtime.order_events import OrderCreated
from tests.treaty_runtime.relaying import Service, SilentProducer, lasting, renewed, until
from treaty_runtime.sql import database as runtime_database


@pytest.fixture
def service(database: AsyncEngine) -> Service:
    return Service(database)


async def test_a_row_is_deleted_only_after_the_broker_has_acknowledged_it(service: Service) -> None:
    """The broker answers when the relay, waiting for that, looks at its lease: who deletes without waiting never does."""
    producer, told = SilentProducer(service), list[str]()

    def clock() -> float:
        told.extend(["acknowledged"] * producer.acknowledge())
        return 0.0

    def note(*arguments: object) -> None:
        if str(arguments[2]).startswith("DELETE FROM outbox "):
            told.append("deleted")

    relay = await renewed(service.relay(producer=producer, lease=service.lease(clock=clock)))
    await service.stage(("o-1", 1))
    sql_event.listen(service.engine.sync_engine, "before_cursor_execute", note)
    assert await relay._round()
    sql_event.remove(service.engine.sync_engine, "before_cursor_execute", note)
    assert told == ["acknowledged", "deleted"]
    assert await service.waiting() == 0


async def test_while_one_relay_waits_for_a_row_no_other_sends_the_next_of_its_key(service: Service) -> None:
    silent = SilentProducer(service)
    first = await renewed(service.relay(producer=silent, lease=lasting(service)))
    second = await renewed(service.relay(lease=lasting(service)))
    await service.stage(("o-1", 1))
    under_way = asyncio.create_task(first._round())
    await until(lambda: silent.taken)
    await service.stage(("o-1", 2))
    staged = await service.staged()
    await second._round()
    assert service.sent() == []
    silent.acknowledge()
    await under_way
    next_round = asyncio.create_task((await renewed(first))._round())  # gives half of its lanes back first
    await until(lambda: silent.acknowledge() or next_round.done())
    await next_round
    await (await renewed(second))._round()
    assert service.sent() == staged


@pytest.mark.postgres
async def test_a_key_keeps_its_order_however_old_the_transactions_are(postgres: str) -> None:
    """An old transaction stages after a young one, while one that began between them is still open."""
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)
    service = Service(engine)
    relay = await renewed(service.relay(lease=lasting(service)))
    async with service.sessions() as old, service.sessions() as between:
        for session in (old, between):
            await session.execute(text("SELECT pg_current_xact_id()"))
        await service.stage(("o-1", 1))
        service.outbox.stage(old, OrderCreated(order_id="o-1", number=2))
        await old.commit()
        staged = await service.staged()
        assert await relay._round()
        assert service.sent() == staged
    await engine.dispose()
