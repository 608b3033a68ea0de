"""Staging: events live and die with the caller's transaction, for both session kinds on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session

from tests.treaty_runtime.order_events import FakeRegistry, OrderCreated, OrderSeen
from tests.treaty_runtime.statements import counted
from treaty_runtime.errors import InvalidKey
from treaty_runtime.hooks import Hooks, KeyMissing, Staged
from treaty_runtime.publish.outbox import Outbox, lane_of
from treaty_runtime.publish.outbox_headers import load_headers, writer_of
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.tables import OutboxRow
from treaty_runtime.wire.serde import Serde, schema_id_of

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
def seen() -> list[object]:
    return []


@pytest.fixture
async def outbox(seen: list[object]) -> Outbox:
    serde = Serde(FakeRegistry(OrderCreated))
    await serde.warm([OrderCreated])
    return Outbox(serde, service="order", now=lambda: NOW, entropy=_counting_entropy(), hooks=Hooks([seen.append]))


async def test_an_event_is_staged_with_the_rows_that_caused_it(outbox: Outbox, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        event_id = outbox.stage(session, OrderCreated(order_id="o-1", number=1))
    row = await _only_row(sessions)
    assert (row.id, row.aggregatetype, row.aggregateid) == (event_id, "order-events", "o-1")
    assert (row.type, row.dataschema) == ("order.created", "mall.order.OrderCreated")
    assert schema_id_of(row.payload) == 1
    assert row.lane == lane_of("o-1", lanes=16)
    assert load_headers(row.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": str(event_id).encode(),
        "ce_source": b"/mall/order",
        "ce_type": b"order.created",
        "ce_time": b"2026-03-04T05:06:07.890123Z",
        "ce_subject": b"o-1",
        "content-type": b"application/avro",
        "ce_correlationid": str(event_id).encode(),
    }


async def test_a_rolled_back_transaction_stages_nothing(outbox: Outbox, sessions: Sessions) -> None:
    woken: list[int] = []
    outbox.on_commit(lambda: woken.append(1))
    async with sessions() as session:
        outbox.stage(session, OrderCreated(order_id="o-1", number=1))
        await session.flush()
        await session.rollback()
    assert await _rows(sessions) == []
    assert woken == []


async def test_a_rolled_back_savepoint_takes_its_events_along(outbox: Outbox, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        outbox.stage(session, OrderCreated(order_id="kept", number=1))
        savepoint = await session.begin_nested()
        outbox.stage(session, OrderCreated(order_id="lost", number=2))
        await session.flush()
        await savepoint.rollback()
    assert [row.aggregateid for row in await _rows(sessions)] == ["kept"]


async def test_the_relay_is_woken_once_after_the_commit_and_not_by_savepoints(
    outbox: Outbox, sessions: Sessions
) -> None:
    woken: list[int] = []
    async with sessions.begin() as session:
        outbox.on_commit(lambda: woken.append(1))
        async with session.begin_nested():
            outbox.stage(session, OrderCreated(order_id="o-1", number=1))
        assert woken == []
    assert woken == [1]
    async with sessions.begin() as session:
        await session.execute(select(OutboxRow))
    assert woken == [1], "a commit that staged nothing wakes nobody"


async def test_a_blocking_session_stages_the_same_row(
    outbox: Outbox, database: AsyncEngine, sessions: Sessions
) -> None:
    woken: list[int] = []
    outbox.on_commit(lambda: woken.append(1))

    async with database.connect() as connection:

        def write(sync_connection: object) -> None:
            with Session(sync_connection) as session, session.begin():  # type: ignore[arg-type]  # run_sync hands it untyped
                outbox.stage(session, OrderCreated(order_id="o-1", number=1))

        await connection.run_sync(write)
        await connection.commit()
    assert (await _only_row(sessions)).aggregateid == "o-1"
    assert woken == [1]


async def test_events_keep_the_order_in_which_they_were_staged(outbox: Outbox, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        for number in range(50):
            outbox.stage(session, OrderCreated(order_id=f"o-{number % 3}", number=number))
    rows = await _rows(sessions)
    assert [json.loads(row.headers)["ce_subject"] for row in rows] == [f"o-{number % 3}" for number in range(50)]
    assert [row.id for row in rows] == sorted(row.id for row in rows)


async def test_while_the_registry_is_away_the_id_stays_open_and_the_writer_is_named(sessions: Sessions) -> None:
    registry = FakeRegistry(OrderCreated)
    registry.is_away = True
    outbox = Outbox(Serde(registry), service="order", now=lambda: NOW, entropy=_counting_entropy())
    async with sessions.begin() as session:
        outbox.stage(session, OrderCreated(order_id="o-1", number=1))
    row = await _only_row(sessions)
    assert schema_id_of(row.payload) == 0
    assert load_headers(row.headers)["treaty-writer"] == writer_of(OrderCreated)


async def test_an_event_without_a_key_gets_one_of_its_own(
    outbox: Outbox, sessions: Sessions, seen: list[object]
) -> None:
    async with sessions.begin() as session:
        event_id = outbox.stage(session, OrderSeen(number=1))
    assert (await _only_row(sessions)).aggregateid == f"diag-{event_id}"
    assert [type(hook) for hook in seen] == [KeyMissing, Staged]


@pytest.mark.parametrize("key", ["", "k" * 513, "\x00", "\ud800"])
async def test_a_key_that_no_record_may_have_is_refused_at_once(outbox: Outbox, sessions: Sessions, key: str) -> None:
    async with sessions() as session:
        with pytest.raises(InvalidKey):
            outbox.stage(session, OrderCreated(order_id="o-1", number=1), key=key)


async def test_causes_and_extra_headers_travel_but_never_replace_ours(outbox: Outbox, sessions: Sessions) -> None:
    cause, chain = UUID(int=7), UUID(int=8)
    extra = {"tenant": "北".encode(), "blob": b"\xff\x00", "ce_id": b"forged"}
    async with sessions.begin() as session:
        event_id = outbox.stage(
            session, OrderCreated(order_id="o-1", number=1), correlation_id=chain, causation_id=cause, headers=extra
        )
    headers = load_headers((await _only_row(sessions)).headers)
    assert (headers["ce_correlationid"], headers["ce_causationid"]) == (str(chain).encode(), str(cause).encode())
    assert (headers["tenant"], headers["blob"]) == ("北".encode(), b"\xff\x00")
    assert headers["ce_id"] == str(event_id).encode()


@pytest.mark.postgres
async def test_writers_of_one_key_get_positions_in_the_order_of_their_commits(outbox: Outbox, postgres: str) -> None:
    """Without the key lock the second writer would commit first with the higher position, and be sent first."""
    sessions = await _fresh(postgres)
    first, second = sessions(), sessions()
    outbox.stage(first, OrderCreated(order_id="o-1", number=1))
    await first.flush()
    outbox.stage(second, OrderCreated(order_id="o-1", number=2))
    waiting = asyncio.create_task(second.commit())
    await _until_somebody_waits_for_a_lock(sessions)
    assert not waiting.done()
    await first.commit()
    await waiting
    assert [row.id.int & 0xFF for row in await _rows(sessions)] == [1, 2]
    await first.close()
    await second.close()
    await sessions.kw["bind"].dispose()


@pytest.mark.postgres
async def test_writers_of_other_keys_do_not_wait(outbox: Outbox, postgres: str) -> None:
    sessions = await _fresh(postgres)
    async with sessions() as first, sessions() as second:
        outbox.stage(first, OrderCreated(order_id="o-1", number=1))
        await first.flush()
        outbox.stage(second, OrderCreated(order_id="o-2", number=1))
        await asyncio.wait_for(second.commit(), 90)
        await first.commit()
    await sessions.kw["bind"].dispose()


async def test_a_flush_costs_at_most_one_statement_besides_the_insert(
    outbox: Outbox, database: AsyncEngine, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        await session.execute(select(1))
        with counted(database) as statements:
            for number in range(3):
                outbox.stage(session, OrderCreated(order_id=f"o-{number}", number=number))
            await session.flush()
    others = [statement for statement in statements if "INSERT INTO outbox" not in statement]
    assert len(others) <= 1
    assert len(others) == (1 if database.dialect.name == "postgresql" else 0)


def _counting_entropy() -> Callable[[int], bytes]:
    state = iter(range(1, 1 << 16))
    return lambda size: next(state).to_bytes(size, "big")


async def _rows(sessions: Sessions) -> list[OutboxRow]:
    async with sessions() as session:
        return list(await session.scalars(select(OutboxRow).order_by(OutboxRow.position)))


async def _only_row(sessions: Sessions) -> OutboxRow:
    (row,) = await _rows(sessions)
    return row


async def _fresh(url: str) -> Sessions:
    engine = runtime_database.open_engine(url)
    await runtime_database.create(engine)
    return async_sessionmaker(engine, expire_on_commit=False)


async def _until_somebody_waits_for_a_lock(sessions: Sessions) -> None:
    async with sessions() as session, asyncio.timeout(90):
        while not await session.scalar(
            text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        ):
            await session.rollback()
