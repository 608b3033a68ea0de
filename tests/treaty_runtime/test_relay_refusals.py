"""What the broker says no to is noted while it is there and ours: no key stands behind a row that nobody can see."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.treaty_runtime.relaying import LateRefuser, Service, lasting, running, set_aside, until
from treaty_runtime.hooks import PublishRefused
from treaty_runtime.publish.backlog import Backlog, Refusal
from treaty_runtime.publish.outbox_desk import OutboxDesk
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.tables import FailedRow, OutboxRow


@pytest.fixture
def service(database: AsyncEngine) -> Service:
    return Service(database)


async def test_a_row_that_an_operator_dropped_while_the_broker_judged_it_leaves_no_note(service: Service) -> None:
    desk, producer = OutboxDesk(service.engine), LateRefuser(service)
    await service.stage(("o-1", 1))
    async with running(service.relay(producer=producer, lease=lasting(service))):
        await until(lambda: producer.taken)
        (row,) = await desk.waiting(after=0, limit=5)
        assert await desk.drop([row.position]) == [row.position]
        producer.refuse()
        await until(lambda: service.heard(PublishRefused))
    assert await _notes(service) == 0
    await _goes_on(service)


async def test_a_former_owners_refusal_is_not_noted(service: Service) -> None:
    await service.stage(("o-1", 1))
    zombie, heir = lasting(service), service.lease()
    await zombie.renew()
    epochs, backlog = dict(zombie.held), Backlog(service.engine)
    (row,) = await backlog.read(epochs, held=(), limit=1)
    await zombie.leave()
    await heir.renew()
    refusals = [Refusal(row=row, code="INVALID_RECORD", error="no", overtaken=False)] * 2
    assert await backlog.fail(refusals, owner=zombie.owner, epochs=epochs) == 0
    assert await _notes(service) == 0
    assert await backlog.fail(refusals, owner=heir.owner, epochs=heir.held) == 2
    async with service.sessions() as session:
        (noted,) = await session.scalars(select(FailedRow))
    assert (noted.position, noted.aggregateid, noted.attempts) == (row.position, "o-1", 2)


async def test_a_refused_row_that_was_deleted_by_hand_holds_nobody_up(service: Service) -> None:
    await service.stage(("o-1", 1), ("o-1", 2))
    backlog = Backlog(service.engine)
    first, second = await backlog.read(range(16), held=(), limit=10)
    await set_aside(service.engine, first)
    assert await backlog.read(range(16), held=(), limit=10) == []
    async with service.sessions.begin() as session:
        await session.execute(delete(OutboxRow).where(OutboxRow.position == first.position))
    assert await backlog.read(range(16), held=(), limit=10) == [second]
    assert (await backlog.depth()).failed == 0, "what is counted is what `treaty outbox` shows"
    await _goes_on(service)


@pytest.mark.postgres
async def test_a_refusal_is_noted_with_the_rights_that_an_outbox_needs_and_no_more(postgres: str) -> None:
    role, owner = f"relay_{uuid4().hex}", runtime_database.open_engine(postgres)
    await runtime_database.create(owner)
    async with owner.begin() as connection:
        await connection.execute(text(f"CREATE ROLE {role}"))
        await connection.execute(text(f"GRANT SELECT, INSERT, DELETE ON outbox, outbox_relay TO {role}"))
        await connection.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_lane, outbox_failed TO {role}"))
        await connection.execute(text(f"GRANT UPDATE ON outbox_relay TO {role}"))
    await Service(owner).stage(("o-1", 1))
    engine = runtime_database.open_engine(f"{postgres}?options=-crole%3D{role}")
    (row,) = await Backlog(engine).read(range(16), held=(), limit=1)
    await set_aside(engine, row)
    await engine.dispose()
    async with owner.begin() as connection:
        await connection.execute(text(f"DROP OWNED BY {role}"))
        await connection.execute(text(f"DROP ROLE {role}"))
    await owner.dispose()


async def _notes(service: Service) -> int:
    async with service.sessions() as session:
        return await session.scalar(select(func.count()).select_from(FailedRow)) or 0


async def _goes_on(service: Service) -> None:
    await service.stage(("o-1", 3))
    last = (await service.staged())[-1]
    async with running(service.relay()):
        await until(lambda: last in service.sent())
    assert await service.waiting() == 0
