"""What the live screen shows: counters of the last minute, hour and day, read once a second however many look."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from mall.analytics import store
from mall.analytics.answers import LiveAnswer
from mall.analytics.domain import NAMES, minute_of
from mall.work import Desk

FRESH = timedelta(seconds=1)


@dataclass
class Board:
    """The newest answer and when it was made."""

    desk: Desk
    now: Callable[[], datetime]
    _answer: LiveAnswer | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def live(self) -> LiveAnswer:
        """Counters that are at most a second old."""
        async with self._reading:
            if self._answer is None or not timedelta() <= self.now() - self._answer.at < FRESH:
                async with self.desk.look() as session:
                    self._answer = await _read(session, self.now())
            return self._answer


async def _read(session: AsyncSession, now: datetime) -> LiveAnswer:
    minute = minute_of(now)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return LiveAnswer(
        at=now,
        last_minutes=_shown(await store.totals(session, since=minute - timedelta(minutes=1))),
        last_hour=_shown(await store.totals(session, since=minute - timedelta(minutes=59))),
        today=_shown(await store.totals(session, since=midnight)),
    )


def _shown(counted: Counter[str]) -> dict[str, int]:
    return {name: counted[name] for name in (*NAMES, *sorted(counted.keys() - set(NAMES)))}
