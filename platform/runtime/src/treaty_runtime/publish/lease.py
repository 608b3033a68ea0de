"""Which lanes of the outbox this relay owns, and until when.

Laws: a lane has one owner at a time, by the database's clock, or by that of whoever saw a lease stand still for as long as it lasts:
the database's may be set back. A new owner raises the lane's epoch, which fences what a
former one still wants to delete. The holder counts its lease from before it asked, by its own monotonic clock, so that
it always believes in a shorter lease than the database does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, TextClause
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.sqltext import listed, statements


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """How long a lease lasts, how often it is renewed, and how long before its end nothing new is sent.

    What is on the wire when sending stops arrives within the margin, as a rule; what comes later is a repeated copy.
    """

    lease_seconds: float = 10.0
    renew_seconds: float = 3.0
    margin_seconds: float = 2.0


TIMES = LeaseTimes()

RENEW = statements("UPDATE outbox_lane SET until = {later} WHERE owner = :owner RETURNING lane, epoch")

SEEN = statements(
    "INSERT INTO outbox_relay (owner, seen) VALUES (:owner, {now}) ON CONFLICT (owner) DO UPDATE SET seen = excluded.seen"
)

# Seen within a lease, either way: who died before the clock was set back was seen in the future.
VIEW = statements(
    "SELECT lane, until, owner IS NULL OR until < {now} AS is_free,"
    " (SELECT count(*) FROM outbox_relay WHERE seen > {earlier} AND seen < {later}) AS live FROM outbox_lane ORDER BY lane"
)

TAKE = statements(
    "UPDATE outbox_lane SET owner = :owner, epoch = epoch + 1, until = {later}"
    " WHERE lane = ANY(CAST(:lanes AS smallint[])) AND (owner IS NULL OR until < {now}) RETURNING lane, epoch",
    sqlite="UPDATE outbox_lane SET owner = :owner, epoch = epoch + 1, until = {later}"
    " WHERE lane IN (SELECT value FROM json_each(:lanes)) AND (owner IS NULL OR until < {now}) RETURNING lane, epoch",
)

TAKE_ABANDONED = statements(
    "UPDATE outbox_lane SET owner = :owner, epoch = epoch + 1, until = {later}"
    " WHERE lane = :lane AND until = :until RETURNING lane, epoch"
)

GIVE_BACK = statements(
    "UPDATE outbox_lane SET owner = NULL, until = NULL WHERE owner = :owner AND lane = ANY(CAST(:lanes AS smallint[]))",
    sqlite="UPDATE outbox_lane SET owner = NULL, until = NULL"
    " WHERE owner = :owner AND lane IN (SELECT value FROM json_each(:lanes))",
)

LEAVE = statements("DELETE FROM outbox_relay WHERE owner = :owner OR seen < {earlier}")

_FORGET_SECONDS = 3600.0


class Lease:
    """The lanes of one relay. `owner` is unique for each start of a process; `clock` is monotonic, in seconds."""

    def __init__(
        self, engine: AsyncEngine, *, owner: str, clock: Callable[[], float], times: LeaseTimes = TIMES
    ) -> None:
        self.owner, self.times = owner, times
        self.held: dict[int, int] = {}
        self.surplus: frozenset[int] = frozenset()
        self._engine, self._clock, self._dialect = autocommit(engine), clock, engine.dialect.name
        self._ends = clock()
        self._standing: dict[int, tuple[object, float]] = {}
        # Between the database's answer and our memory of it nobody else may change what is held.
        self._changing = asyncio.Lock()

    @property
    def seconds_left(self) -> float:
        """How long the held lanes may still be sent from; zero or less: stop."""
        return self._ends - self.times.margin_seconds - self._clock()

    @property
    def is_safe(self) -> bool:
        """Whether anything may be sent now."""
        return bool(self.held) and self.seconds_left > 0

    def covers(self, epochs: Mapping[int, int]) -> bool:
        """Whether all these lanes may be sent from now, under the epochs given."""
        return self.is_safe and all(self.held.get(lane) == epoch for lane, epoch in epochs.items())

    async def renew(self) -> frozenset[int]:
        """Prolong what is held, take what is free up to a fair share; answer the lanes that were lost.

        Lanes above the fair share become `surplus`: the caller gives them back when they are drained.
        """
        async with self._changing, self._engine.connect() as connection:
            asked, seconds = self._clock(), self.times.lease_seconds
            held = await self._lanes(connection, RENEW, seconds=seconds)
            lost = frozenset(lane for lane, epoch in self.held.items() if held.get(lane) != epoch)
            # Both at once: a lane that was lost and taken again meanwhile has another epoch.
            self.held, self._ends = held, asked + seconds
            await connection.execute(SEEN[self._dialect], {"owner": self.owner})
            rows = (await connection.execute(VIEW[self._dialect], {"seconds": seconds})).all()
            share = fair_share(len(rows), live=rows[0].live if rows else 1)
            free = [row.lane for row in rows if row.is_free][: max(0, share - len(held))]
            self.surplus = frozenset(sorted(held)[share:])
            if free:
                wanted = listed(free, dialect=self._dialect)
                self.held = held | await self._lanes(connection, TAKE, seconds=seconds, lanes=wanted)
            for lane, until in self._abandoned(rows, asked=asked)[: max(0, share - len(self.held))]:
                taken = await self._lanes(connection, TAKE_ABANDONED, seconds=seconds, lane=lane, until=until)
                self.held = self.held | taken
        return lost

    async def give_back(self, lanes: Collection[int]) -> None:
        """Free these lanes for others now."""
        gone = frozenset(lanes)
        async with self._changing, self._engine.connect() as connection:
            # Forgotten first: if the answer is lost, the lane stays unused until its lease ends.
            self.held = {lane: epoch for lane, epoch in self.held.items() if lane not in gone}
            self.surplus -= gone
            wanted = listed(sorted(gone), dialect=self._dialect)
            await connection.execute(GIVE_BACK[self._dialect], {"owner": self.owner, "lanes": wanted})

    async def leave(self) -> None:
        """Free everything and no longer count as a live relay."""
        await self.give_back(tuple(self.held))
        async with self._engine.connect() as connection:
            await connection.execute(LEAVE[self._dialect], {"owner": self.owner, "seconds": _FORGET_SECONDS})

    def _abandoned(self, rows: Sequence[Row[Any]], *, asked: float) -> list[tuple[int, object]]:
        """Lanes, and until when they are taken, that nobody has prolonged for as long as a lease lasts by our own clock.

        By the database's they would have been free by now, unless it was set back.
        """
        now, before = self._clock(), self._standing
        taken = {row.lane: row.until for row in rows if not row.is_free}
        self._standing = {
            lane: before[lane] if lane in before and before[lane][0] == until else (until, now)
            for lane, until in taken.items()
        }
        long_ago = asked - self.times.lease_seconds
        return [(lane, until) for lane, (until, since) in self._standing.items() if since <= long_ago]

    async def _lanes(
        self, connection: AsyncConnection, law: Mapping[str, TextClause], **parameters: object
    ) -> dict[int, int]:
        rows = await connection.execute(law[self._dialect], {"owner": self.owner, **parameters})
        return {row.lane: row.epoch for row in rows}


def fair_share(lanes: int, *, live: int) -> int:
    """How many lanes one of `live` relays may hold, rounded up so that none stays without an owner."""
    return -(-lanes // max(1, live))
