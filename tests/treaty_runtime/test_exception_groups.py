"""What a handler's task group raises means what its parts mean: an outage in it is an outage."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import envelope_of
from treaty_runtime.classify import Kind, classify, outages
from treaty_runtime.consume.outage import dependency_of
from treaty_runtime.errors import Conflict, Locked, Outage, Reject
from treaty_runtime.event import Context
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.inbox import Inbox


class Unreachable(Exception):
    """Somebody's client says so."""


AWAY = Outage("no answer", dependency="shop")


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ([ValueError(), AWAY, Locked(), Conflict(), Reject("no")], Kind.OUTAGE),
        ([ValueError(), Unreachable()], Kind.OUTAGE),
        ([ValueError(), ExceptionGroup("inner", [AWAY])], Kind.OUTAGE),
        ([ValueError(), Locked(), Conflict()], Kind.STALLED),
        ([ValueError(), Conflict()], Kind.CONFLICT),
        ([Reject("no"), Reject("never")], Kind.POISON),
        ([Reject("no"), ValueError()], Kind.FAILURE),
        ([ValueError()], Kind.FAILURE),
    ],
)
def test_a_group_is_what_waits_longest_of_its_parts(parts: list[Exception], kind: Kind) -> None:
    assert classify(ExceptionGroup("unhandled", parts), [outages(Unreachable)]) is kind


def test_who_is_away_is_what_the_part_says() -> None:
    assert dependency_of(ExceptionGroup("unhandled", [ValueError(), AWAY])) == "shop"
    assert dependency_of(ExceptionGroup("unhandled", [AssertionError()])) == "builtins"


@pytest.mark.postgres
async def test_a_connection_that_a_handlers_task_lost_is_an_outage(postgres: str) -> None:
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)

    async def query(session: AsyncSession) -> None:
        await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    async def handle(context: Context) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(query(context.session))

    with pytest.raises(Outage) as away:
        await Inbox(async_sessionmaker(engine)).run(
            envelope_of(1), group="g", handle=handle, deadline=datetime.now(UTC)
        )
    assert away.value.dependency == "database"
    await engine.dispose()
