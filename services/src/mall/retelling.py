"""A read model in tables, made anew from the topics beside the one in use, and swapped in one transaction.

The topics are read to their end, again and again until little is new; then the last step holds the live tables, reads the rest,
and exchanges what differs. Until its commit the old rows are read, and a death at any moment leaves them.

Law: a refusal says that the old model stays, so a commit whose answer was lost is none; and a connection that was lost is not
tried again, for the fresh tables went with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError

from mall.database import first_line, open_database
from mall.exchange import remember
from mall.rebuilt import Change, History, RebuildBroken, RebuildRefused, Rebuilt, checked
from mall.settings import Settings
from mall.shadow import Shadow, opened_shadow
from treaty_runtime.errors import Outage
from treaty_runtime.event import Partition
from treaty_runtime.runtime import Runtime
from treaty_runtime.seek import Kind, Seek
from treaty_runtime.sql import database as runtime_database

FEW = 100
HELD_SECONDS = (4.0, 4.0, 8.0, 16.0, 30.0)
"""How long each try of the last step may take: first less than a writer of SQLite waits, then what a slow machine needs."""
START, END = Seek(kind=Kind.START), Seek(kind=Kind.END)
Swap = Callable[[Shadow, History], Awaitable[Sequence[Change]]]


async def _nothing(_shadow: Shadow) -> None:
    """Nothing is to be done before the last step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A read model: the groups that write it, its tables in the order in which writers take them, and how it is swapped."""

    metadata: MetaData
    groups: Sequence[str]
    tables: Sequence[str]
    swap: Swap
    prepare: Callable[[Shadow], Awaitable[None]] = _nothing


async def rebuild_tables(
    model: Model, *, runtime: Runtime, settings: Settings, despite_failures: bool, now: Callable[[], datetime]
) -> Rebuilt:
    """Makes the model anew. Raises RebuildRefused, and what the runtime raises when something is away."""
    database = open_database(settings.service, settings.database_url)
    try:
        await runtime_database.check(database.engine)
        async with opened_shadow(database, model.metadata, service=settings.service) as shadow:
            telling = _Telling(model, runtime, shadow, despite_failures=despite_failures, now=now)
            await telling.catch_up()
            await model.prepare(shadow)
            await shadow.analyze()
            changes = await _last_step(telling)
        return Rebuilt(events=telling.events, changes=tuple(changes))
    finally:
        await database.engine.dispose()


async def _last_step(telling: _Telling) -> Sequence[Change]:
    for number, seconds in enumerate(HELD_SECONDS, start=1):
        before, is_committing = telling.progress(), False
        try:
            # On PostgreSQL nobody is refused meanwhile, and a query that is cancelled takes its connection and the fresh tables along.
            is_sqlite = telling.shadow.connection.dialect.name == "sqlite"
            async with asyncio.timeout(seconds if is_sqlite else None), telling.shadow.last_step(telling.model.tables):
                await telling.go_on()
                changes = await telling.model.swap(telling.shadow, telling.history)
                await remember(telling.shadow, groups=telling.model.groups)
                is_committing = True
        except (TimeoutError, DBAPIError, Outage) as error:
            telling.go_back(before)
            is_lost = telling.shadow.connection.invalidated
            if is_committing and (is_lost or number == len(HELD_SECONDS)):
                raise RebuildBroken(
                    f"The database did not answer the swap ({first_line(error)}), which is whole or has not happened: rebuild again."
                ) from error
            if is_lost:
                raise RebuildBroken(
                    f"The database was lost in the last step ({first_line(error)}): the old read model stays; rebuild again."
                ) from error
            if number == len(HELD_SECONDS):
                raise RebuildRefused(
                    f"The last step did not come through in {number} tries ({first_line(error)}): the old read model stays. "
                    "Try again when there is less to do."
                ) from error
            await telling.go_on()
        else:
            return changes
    raise AssertionError("a last try returns or raises")


@dataclass(slots=True)
class _Telling:
    """How far each group's topics have been read into the fresh tables."""

    model: Model
    runtime: Runtime
    shadow: Shadow
    despite_failures: bool = field(kw_only=True)
    now: Callable[[], datetime] = field(kw_only=True)
    history: History = field(default_factory=History)
    events: int = 0
    _ends: dict[str, Mapping[Partition, int]] = field(default_factory=dict)

    async def catch_up(self) -> None:
        """Go on until few records were new, or as many as the round before found: more rounds would bring no fewer."""
        before, seen = 0, await self.go_on()
        while seen > FEW and (not before or seen < before / 2):
            before, seen = seen, await self.go_on()

    async def go_on(self) -> int:
        """Read what is new for each group; how many records that was."""
        seen = 0
        for group in self.model.groups:
            known = self._ends.get(group)
            report = await self.runtime.replay(
                group,
                start=START if known is None else known,
                end=END,
                shadow=self.shadow.sessions,
                shadow_inbox=True,
            )
            checked(report, despite_failures=self.despite_failures)
            if known is None:
                self.history.learn(report, now=self.now())
            self._ends[group] = {partition: end for partition, (_, end) in report.spans.items()}
            seen += report.seen
        self.events += seen
        return seen

    def progress(self) -> tuple[int, dict[str, Mapping[Partition, int]]]:
        """How far it is."""
        return self.events, dict(self._ends)

    def go_back(self, progress: tuple[int, dict[str, Mapping[Partition, int]]]) -> None:
        """What was read since was rolled back."""
        self.events, self._ends = progress[0], dict(progress[1])
