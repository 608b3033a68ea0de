"""Carries records into the table of held ones and back, and reports what the table answered, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any

from treaty_runtime.clock import Clock
from treaty_runtime.consume.actions import Action, Fetch, Hold, Load, Release
from treaty_runtime.consume.dispatch import Dispatch
from treaty_runtime.consume.facts import HeldFact
from treaty_runtime.consume.reader import Reader
from treaty_runtime.errors import NoSession
from treaty_runtime.event import Place
from treaty_runtime.handlers import Group
from treaty_runtime.held import Held, HeldRecords

ROWS_AT_ONCE = 500


class Holder:
    """Obeys Hold, Fetch, Release and Load; without ``records`` it is never asked to. ``tell`` hears of each row that is written.

    Rows are written by one task, many at a time, in the order of their actions.
    """

    def __init__(
        self,
        records: HeldRecords | None,
        *,
        group: Group,
        reader: Reader,
        clock: Clock,
        random: Callable[[], float],
        dispatch: Dispatch,
        obey: Callable[[Iterable[Action]], None],
        tell: Callable[[Hold], None],
    ) -> None:
        self._table = records
        self._group, self._limits = group.name, group.limits
        self._reader, self._clock, self._random = reader, clock, random
        self._dispatch, self._obey_all, self._tell = dispatch, obey, tell
        self._to_hold: list[Hold] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing: asyncio.Task[None] | None = None

    @property
    def _records(self) -> HeldRecords:
        if self._table is None:
            raise NoSession
        return self._table

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked of the table."""
        return not self._tasks

    def obey(self, action: Hold | Fetch | Release | Load) -> None:
        """Begins what the action says; the answer comes later."""
        match action:
            case Hold():
                self._to_hold.append(action)
                if self._writing is None:
                    self._writing = self._begin(self._write())
            case Fetch():
                self._begin(self._fetch(action))
            case Release():
                self._begin(self._release(action))
            case Load():
                self._begin(self._load(action, failures=0))

    def releasing(self, call: Callable[[Any], Awaitable[None]], place: Place) -> Callable[[Any], Awaitable[None]]:
        """The handler's call, which deletes the row first, in the transaction of its context."""

        async def released(context: Any) -> None:
            await self._records.release(context.session, self._group, place)
            await call(context)

        return released

    def spare(self, places: Iterable[Place]) -> None:
        """Attempts were cut off in good order."""
        if named := tuple(places):
            self._begin(self._spare(named))

    async def close(self) -> None:
        """Ends what is under way; what was not answered is seen again."""
        writing = [task for task in self._tasks if task is not asyncio.current_task()]
        if writing:
            await asyncio.wait(writing, timeout=1)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _write(self) -> None:
        try:
            while self._to_hold:
                holds, self._to_hold = self._to_hold[:ROWS_AT_ONCE], self._to_hold[ROWS_AT_ONCE:]
                await self._hold(holds)
        finally:
            self._writing = None

    async def _hold(self, holds: Sequence[Hold]) -> None:
        fresh = [row for hold in holds if not hold.is_again and (row := self._row(hold)) is not None]
        try:
            if fresh:
                await self._records.hold(self._group, fresh)
            for hold in holds:
                if hold.is_again and (row := self._row(hold)) is not None:
                    await self._records.again(self._group, row)
        except Exception:  # noqa: BLE001  # whatever it is: the record is not in the table, and must not be lost
            for hold in holds:
                self._failed(hold)
            return
        for hold in holds:
            self._tell(hold)
            self._obey_all(self._dispatch.holding.held(hold.place, hold.epoch, self._clock.now()))

    def _row(self, hold: Hold) -> Held | None:
        record = self._dispatch.record(hold.place, hold.epoch)
        return None if record is None else Held(record=record, attempt=hold.attempt, due=hold.due)

    async def _fetch(self, fetch: Fetch) -> None:
        try:
            row = await self._records.fetch(self._group, fetch.place)
        except Exception:  # noqa: BLE001  # the row stays, and is asked for again
            self._failed(fetch)
            return
        assignment = self._dispatch.assignments.get(fetch.place[:2])
        if row is None:
            self._obey_all(self._dispatch.handled(fetch.place, fetch.epoch))
        elif assignment is None or assignment.epoch != fetch.epoch:
            await self._spare([fetch.place])  # its partition left meanwhile: the attempt never began
        else:
            self._obey_all(self._dispatch.holding.fetched(fetch.place, fetch.epoch, row.record, row.begun))

    async def _release(self, release: Release) -> None:
        try:
            await self._records.drop(self._group, release.place)
        except Exception:  # noqa: BLE001  # as above
            self._failed(release)
        else:
            self._obey_all(self._dispatch.handled(release.place, release.epoch))

    async def _load(self, load: Load, *, failures: int) -> None:
        try:
            rows = await self._records.load(self._group, load.partition)
        except Exception:  # noqa: BLE001  # nothing of the partition begins before it is known
            self._load_later(load, failures=failures)
            return
        facts = [self._fact(row) for row in rows]
        self._obey_all(self._dispatch.holding.loaded(load.partition, load.epoch, facts, self._clock.now()))

    def _load_later(self, load: Load, *, failures: int) -> None:
        def again() -> None:
            self._begin(self._load(load, failures=failures + 1))

        self._clock.call_at(self._clock.now() + self._limits.patience(failures, self._random()), again)

    def _fact(self, row: Held) -> HeldFact:
        lane = self._reader.lane(row.record)
        return HeldFact(offset=row.place.offset, lane=lane, attempt=row.attempt, due=row.due, begun=row.begun)

    def _failed(self, action: Hold | Fetch | Release) -> None:
        now, jitter = self._clock.now(), self._random()
        self._obey_all(self._dispatch.holding.not_held(action.place, action.epoch, now=now, jitter=jitter))

    async def _spare(self, places: Sequence[Place]) -> None:
        with suppress(Exception):  # at worst an end is counted that was none
            await self._records.spare(self._group, places)
