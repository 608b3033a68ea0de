"""What a relay has sent, kept for a while where `outbox_keep` says so: lost topics can be filled again from it.

Law: a row is copied in the transaction that deletes it from the outbox, so that it is in one of the tables and never in both.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.forgetting import forget, oldest
from treaty_runtime.sql.sqltext import planned_each_time, statements
from treaty_runtime.sql.tables import Timestamp

_STAGED = "id, aggregatetype, aggregateid, type, dataschema, payload, headers, tracingspancontext, lane"
_COLUMNS = f'position, {_STAGED}, created_at, sent_at, "partition", "offset"'
_GONE = ", ".join(f"gone.{name}" for name in f"position, {_STAGED}, created_at".split(", "))
OURS = (
    "position = ANY(CAST(:positions AS bigint[])) AND position BETWEEN :lowest AND :highest"
    " AND lane = ANY(ARRAY(SELECT outbox_lane.lane FROM outbox_lane"
    " JOIN unnest(CAST(:lanes AS smallint[]), CAST(:epochs AS bigint[])) AS mine (lane, epoch)"
    " ON mine.lane = outbox_lane.lane AND mine.epoch = outbox_lane.epoch WHERE outbox_lane.owner = :owner))"
)
"""Rows at these positions, of lanes that are still held under these epochs, for PostgreSQL. Whatever it believes of the table it looks
at these rows alone: the lanes are no join, which it might answer by a walk for each, and the bounds make the index the shortest way."""

# For SQLite the copy only: the delete follows in the same transaction, and is the one of `backlog`.
_KEEP = statements(
    f"WITH gone AS (DELETE FROM outbox WHERE {OURS} RETURNING outbox.*)"  # noqa: S608  # constants
    f" INSERT INTO outbox_sent ({_COLUMNS}) SELECT {_GONE}, {{now}}, placed.partition, placed.offset FROM gone"
    " JOIN unnest(CAST(:positions AS bigint[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]))"
    ' AS placed (position, partition, "offset") ON placed.position = gone.position',
    sqlite=f"INSERT INTO outbox_sent ({_COLUMNS}) SELECT {_GONE}, {{now}}, partitions.value, offsets.value"  # noqa: S608  # constants
    " FROM outbox AS gone JOIN json_each(:positions) AS positions ON positions.value = gone.position"
    " JOIN json_each(:partitions) AS partitions ON partitions.key = positions.key"
    " JOIN json_each(:offsets) AS offsets ON offsets.key = positions.key"
    " WHERE gone.lane IN (SELECT outbox_lane.lane FROM outbox_lane"
    " JOIN json_each(:lanes) AS lanes ON lanes.value = outbox_lane.lane"
    " JOIN json_each(:epochs) AS epochs ON epochs.key = lanes.key AND epochs.value = outbox_lane.epoch"
    " WHERE outbox_lane.owner = :owner)",
)
KEEP = planned_each_time(_KEEP, by="lowest")
FORGET = oldest("outbox_sent", by="sent_at")
_SINCE = "sent_at >= :since AND (CAST(:topic AS text) IS NULL OR aggregatetype = CAST(:topic AS text))"
COUNT = statements(
    "SELECT aggregatetype AS topic, count(DISTINCT id) AS events, min(sent_at) AS first, max(sent_at) AS last FROM outbox_sent"  # noqa: S608  # constants
    f" WHERE {_SINCE} GROUP BY aggregatetype ORDER BY aggregatetype"
)
# The first row of each event id, in the order in which they were sent: an event that was sent again before is one event.
RESEND = statements(
    f"INSERT INTO outbox ({_STAGED}) SELECT {_STAGED} FROM outbox_sent WHERE {_SINCE}"  # noqa: S608  # constants
    " AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.id = outbox_sent.id)"
    " AND NOT EXISTS (SELECT 1 FROM outbox_sent AS before WHERE before.id = outbox_sent.id"
    " AND before.position < outbox_sent.position AND before.sent_at >= :since) ORDER BY position"
)


class SentCount:
    """How many events of a topic were sent in a time, first and last."""

    def __init__(self, topic: str, events: int, first: datetime, last: datetime) -> None:
        self.topic, self.events, self.first, self.last = topic, events, first, last


class SentDesk:
    """What an operator asks of the sent rows of one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._dialect = engine, engine.dialect.name

    async def counts(self, since: datetime, *, topic: str | None) -> list[SentCount]:
        """What was sent since then, by topic."""
        law = COUNT[self._dialect].bindparams(bindparam("since", type_=Timestamp()))
        asked = law.columns(first=Timestamp(), last=Timestamp())
        async with autocommit(self._engine).connect() as connection:
            rows = await connection.execute(asked, {"since": since, "topic": topic})
            return [SentCount(row.topic, row.events, row.first, row.last) for row in rows]

    async def resend(self, since: datetime, *, topic: str | None) -> int:
        """Stages what was sent since then once more, in its order and with its event ids; answers how many rows that were."""
        law = RESEND[self._dialect].bindparams(bindparam("since", type_=Timestamp()))
        async with self._engine.begin() as connection:
            return (await connection.execute(law, {"since": since, "topic": topic})).rowcount


class SentCleaning:
    """Deletes sent rows older than ``keep``."""

    def __init__(self, engine: AsyncEngine, *, keep: timedelta) -> None:
        self._engine, self._keep = autocommit(engine), keep

    async def clean(self) -> int:
        """Deletes what is old enough; answers how many rows that were."""
        return await forget(self._engine, FORGET, age=self._keep)
