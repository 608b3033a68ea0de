"""What the database says in a handler's task group: the group means what its parts mean."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import envelope_of
from treaty_runtime.errors import Outage
from treaty_runtime.event import Context
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.inbox import Inbox


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
