"""What a service with a database has: an outbox to relay, an inbox, a table of delayed jobs."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from treaty_runtime.delay.jobs import DelayedJobs
from treaty_runtime.delay.queue import DelayQueue, DelayWorkers
from treaty_runtime.delay.runner import JobRunner
from treaty_runtime.errors import InvalidSettings
from treaty_runtime.event import Schedule, Stage
from treaty_runtime.hooks import Hooks
from treaty_runtime.outages import Outages
from treaty_runtime.publish.backlog import Backlog, Depth
from treaty_runtime.publish.hint import Hint
from treaty_runtime.publish.late_ids import LateIds
from treaty_runtime.publish.lease import Lease
from treaty_runtime.publish.relay import Relay
from treaty_runtime.publish.sent import SentCleaning
from treaty_runtime.sql.database import guard, is_waited_out
from treaty_runtime.sql.held_records import SqlHeldRecords
from treaty_runtime.sql.inbox import Inbox
from treaty_runtime.sql.inbox_cleaning import InboxCleaning
from treaty_runtime.sql.tables_check import TablesCheck
from treaty_runtime.transport import Fence
from treaty_runtime.wiring.cleaning import Cleaning
from treaty_runtime.world import World


class SqlSide:
    """Builds what works on one database. Relays and delay workers carry the name of this start of the process."""

    def __init__(
        self,
        sessions: async_sessionmaker[Any],
        *,
        service: str,
        lanes: int,
        world: World,
        hooks: Hooks,
        outbox_keep: timedelta,
    ) -> None:
        self.sessions, self._world, self._hooks = sessions, world, hooks
        self._engine = _engine_of(sessions)
        guard(self._engine)
        self._owner = f"{service}-{os.getpid()}-{world.entropy(6).hex()}"
        self._backlog = Backlog(self._engine, keeps=bool(outbox_keep))
        self.sent_cleaning = None
        if outbox_keep:
            clean = SentCleaning(self._engine, keep=outbox_keep).clean
            self.sent_cleaning = Cleaning(clean, outages=self._outages("outbox_sent"))
        self.hint = Hint(self._engine)
        self.jobs = DelayedJobs(self._engine)
        self.tables = TablesCheck(self._engine, lanes=lanes, random=world.random)

    def inbox(self, *, stage: Stage, schedule: Schedule) -> Inbox:
        """The effects of handlers."""
        return Inbox(self.sessions, stage=stage, schedule=schedule)

    def held(self) -> SqlHeldRecords:
        """The table of held records."""
        return SqlHeldRecords(self._engine)

    def cleaning(self, *, retention: timedelta) -> Cleaning:
        """What forgets old events."""
        return Cleaning(InboxCleaning(self._engine, retention=retention).clean, outages=self._outages("inbox"))

    def relay(self, *, fence: Fence, late_ids: LateIds, registry_url: str) -> Relay:
        """A relay of this outbox."""
        return Relay(
            backlog=self._backlog,
            lease=Lease(self._engine, owner=self._owner, clock=self._world.clock),
            fence=fence,
            late_ids=late_ids,
            registry_url=registry_url,
            clock=self._world.clock,
            random=self._world.random,
            hooks=self._hooks,
        )

    def delay(self, queue: DelayQueue, *, stage: Stage, schedule: Schedule) -> DelayWorkers:
        """Workers of the service's delayed jobs."""
        runner = JobRunner(
            queue.workers,
            jobs=self.jobs,
            sessions=self.sessions,
            retry=queue.retry,
            timeout=queue.timeout,
            random=self._world.random,
            clock=self._world.clock,
            hooks=self._hooks,
            stage=stage,
            schedule=schedule,
        )
        return DelayWorkers(queue, jobs=self.jobs, runner=runner, outages=self._outages("delay"), owner=self._owner)

    def _outages(self, worker: str) -> Outages:
        return Outages(worker, clock=self._world.clock, hooks=self._hooks)

    async def depth(self) -> Depth | str:
        """How much waits in the outbox, or why nobody can say."""
        if self.tables.fault is not None:
            return self.tables.fault
        try:
            return await self._backlog.depth()
        except (DBAPIError, PoolTimeout) as error:
            if not is_waited_out(error):
                raise
            return f"the database is away ({type(error).__name__})"


def _engine_of(sessions: async_sessionmaker[Any]) -> AsyncEngine:
    """The engine that they all work on. Raises InvalidSettings for one on which no handler's effects could happen once."""
    engine: AsyncEngine | None = sessions.kw.get("bind")
    if engine is None:
        raise InvalidSettings(
            ["sessions= has no engine: give it one, as async_sessionmaker(database.open_engine(url))."]
        )
    own = engine.get_execution_options().get("isolation_level")
    if "AUTOCOMMIT" in {own, getattr(engine.dialect, "_on_connect_isolation_level", None)}:
        raise InvalidSettings(
            [
                "The engine of sessions= commits each statement: leave AUTOCOMMIT out, or an event is known before its effect."
            ]
        )
    return engine
