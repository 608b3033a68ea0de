"""One transaction of a service: the session, the time, and what is published or scheduled if it commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from mall.database import Sessions
from treaty_runtime.errors import NoSession
from treaty_runtime.event import Context, Event, Schedule, Stage
from treaty_runtime.job import Job


class ScheduleHere(Protocol):
    """Schedules a job in the transaction at hand; `replace` moves one that is there, done or not."""

    def __call__(self, job: Job, *, replace: bool = False) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a request or a handler works with; nothing leaves the service unless the transaction commits."""

    session: AsyncSession
    now: datetime
    stage: Callable[[Event], UUID]
    schedule: ScheduleHere


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where requests get their transactions."""

    sessions: Sessions
    readers: Sessions
    stage: Stage
    schedule: Schedule
    now: Callable[[], datetime]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Work]:
        """A transaction: commits at the end of the block, rolls back if it raises."""
        async with self.sessions.begin() as session:
            yield Work(
                session=session,
                now=self.now(),
                stage=partial(self.stage, session),
                schedule=partial(self.schedule, session),
            )

    @asynccontextmanager
    async def look(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads: on SQLite it does not wait for the writer."""
        async with self.readers() as session:
            yield session


def handling(context: Context, *, now: datetime) -> Work:
    """The transaction of a handler; `now` is the event's time, so that a redelivery decides the same."""
    return Work(session=context.session, now=now, stage=context.stage, schedule=context.schedule)


@asynccontextmanager
async def apart(context: Context, *, sessions: Sessions, now: datetime) -> AsyncIterator[Work]:
    """A transaction of its own for a handler that calls something outside between two; it commits at the end of the block.

    What is staged names the handled event as its cause. The inbox knows nothing of it: register the handler with ``inbox=False``,
    and let the rows say what was done. Raises NoSession without a database.
    """
    if context.stager is None or context.scheduler is None:
        raise NoSession
    cause = context.envelope
    async with sessions.begin() as session:
        yield Work(
            session=session,
            now=now,
            stage=partial(context.stager, session, correlation_id=cause.correlation_id, causation_id=cause.id),
            schedule=partial(context.scheduler, session),
        )
