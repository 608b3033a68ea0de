"""Outbox rows of a test database, brought to the memory broker: the relay without leases and without waiting."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import async_sessionmaker

from treaty_runtime.publish.backlog import Pending
from treaty_runtime.publish.relay_batch import outgoing
from treaty_runtime.sql.tables import OutboxRow
from treaty_runtime.transport.memory import MemoryBroker
from treaty_runtime.wire.serde import UNKNOWN_ID, schema_id_of


class StagedRows:
    """Forwards committed rows in order of position and removes them."""

    def __init__(self, sessions: async_sessionmaker[Any], broker: MemoryBroker, *, registry_url: str) -> None:
        self._sessions, self._broker, self._registry_url = sessions, broker, registry_url

    async def forward(self) -> int:
        """How many rows went out; rows whose schema id is unknown or whose broker is down stay."""
        if self._broker.is_down:
            return 0
        async with self._sessions.begin() as session:
            rows = (await session.scalars(select(OutboxRow).order_by(OutboxRow.position))).all()
            sent = []
            for row in rows:
                if schema_id_of(row.payload) == UNKNOWN_ID:
                    break
                self._broker.append(outgoing(_pending(row), registry_url=self._registry_url))
                sent.append(row.position)
            if sent:  # the harness asks at each instant, and mostly there is nothing
                await session.execute(delete(OutboxRow).where(OutboxRow.position.in_(sent)))
        return len(sent)


def _pending(row: OutboxRow) -> Pending:
    return Pending(
        position=row.position or 0,
        written_id=str(row.id),
        topic=row.aggregatetype,
        key=row.aggregateid,
        type=row.type,
        full_name=row.dataschema,
        payload=row.payload,
        headers=row.headers,
        trace=row.tracingspancontext,
        lane=row.lane,
    )
