"""The relay carries outbox rows to Kafka: read, produce in order, wait for every acknowledgement, delete once.

Laws: a row is deleted only after the broker's acknowledgement, so that a crash sends it again rather than never. The
first copies of a key's rows reach the topic in the order of their positions, whoever was killed in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from treaty_runtime.errors import Outage
from treaty_runtime.event import Place
from treaty_runtime.hooks import Fenced, Hooks, LanesHeld, Relayed
from treaty_runtime.outages import Outages
from treaty_runtime.publish.backlog import Backlog, Pending
from treaty_runtime.publish.batch_size import BatchSize
from treaty_runtime.publish.late_ids import REGISTRY_AWAY, LateIds
from treaty_runtime.publish.lease import Lease
from treaty_runtime.publish.relay_ahead import Ahead
from treaty_runtime.publish.relay_batch import Batch, mark_of, position_of
from treaty_runtime.publish.relay_holds import Holds
from treaty_runtime.retry import backoff
from treaty_runtime.sql.database import is_waited_out
from treaty_runtime.transport import Fence

T = TypeVar("T")

AGAIN_SECONDS = 1.0
"""How soon a renewal that failed is tried again."""

LOOK_SECONDS = 0.25
"""While answers are missing, how often the relay looks whether the lanes are still its own."""

_LOOK_SHARE, _DEAF_SECONDS = 9, 1.0
"""Looks that find nothing take a tenth of the time, half of it while commits wake the relay; but none keeps it deaf for longer."""

_SOMEWHERE = -1, -1
"""Partition and offset of a record that a former owner sent, and that only it knew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """How the relay works: rows per batch at most, and how long it waits for what."""

    batch: int = 1000
    poll: timedelta = timedelta(milliseconds=200)
    held_again: timedelta = timedelta(seconds=5)
    late_after: timedelta = timedelta(seconds=5)
    first_wait: timedelta = timedelta(milliseconds=100)
    longest_wait: timedelta = timedelta(seconds=5)
    last_answers: timedelta = timedelta(seconds=3)


class Relay:
    """Runs until stopped; any number of relays share the lanes of one outbox.

    `clock` is monotonic, in seconds; `random` gives numbers in [0, 1). `outages` and `holds` say what waits, and why.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        lease: Lease,
        fence: Fence,
        late_ids: LateIds,
        registry_url: str,
        clock: Callable[[], float],
        random: Callable[[], float],
        hooks: Hooks | None = None,
        settings: RelaySettings | None = None,
    ) -> None:
        self._backlog, self._lease, self._fence, self._late_ids = backlog, lease, fence, late_ids
        self._registry_url, self._clock, self._random = registry_url, clock, random
        self._hooks, self._settings = hooks or Hooks(), settings or RelaySettings()
        self.outages = Outages("relay", clock=clock, hooks=self._hooks)
        self.holds = Holds(again=self._settings.held_again, clock=clock, hooks=self._hooks)
        self._failures, self._looked = 0, 0.0
        self._ahead, self._size, self._has_more = Ahead(clock), BatchSize(self._settings.batch), False
        self._suspects: set[int] = set()
        self._overtaken: AbstractSet[int] = frozenset()  # positions of rows that observers know to be out of order
        self._unread: AbstractSet[int] = frozenset()  # lanes whose former owners' notes are still to be read
        self._woken = asyncio.Event()
        self._stopping, self._is_over = asyncio.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Look for rows now; safe from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Finish the batch under way, give the lanes back, return from `run`."""
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        """Relay until stopped. Outages are waited out; anything else is a bug and is raised."""
        self._loop = asyncio.get_running_loop()
        self._fence.open()
        keeper = asyncio.create_task(self._keep_lease())
        relaying = asyncio.create_task(self._relay())
        try:
            await asyncio.wait({keeper, relaying}, return_when=asyncio.FIRST_COMPLETED)
            # Told, not cancelled: a statement that is cut off keeps SQLite's lock until its cursor is collected.
            self.stop()
            await asyncio.wait({relaying})
            self._is_over.set()
            await asyncio.wait({keeper})
        finally:
            self._loop = None
            for task in (keeper, relaying, *self._ahead.tasks):
                task.cancel()
            await asyncio.wait({keeper, relaying, *self._ahead.tasks})
            # Even after a bug: lanes that are given back need not wait for their lease to end.
            with contextlib.suppress(DBAPIError, PoolTimeout, OSError):
                await self._lease.leave()
        for task in (relaying, keeper):
            if not task.cancelled():
                task.result()

    async def _keep_lease(self) -> None:
        while not self._is_over.is_set():
            renewed = await self._tried(self._renew)
            await self._unless(self._is_over, self._lease.times.renew_seconds if renewed else AGAIN_SECONDS)

    async def _renew(self) -> bool:
        before = len(self._lease.held)
        for lane in sorted(await self._lease.renew()):
            self._hooks(Fenced(lane=lane, owner=self._lease.owner))
        if len(self._lease.held) != before:
            self._hooks(LanesHeld(lanes=len(self._lease.held)))
            self._woken.set()
        return True

    async def _relay(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            had_rows = await self._tried(self._round)
            self._tell_of_keys()
            if had_rows is None:
                self._ahead.forget()
                await self._back_off()
                continue
            self._failures = 0
            if not had_rows:
                await self._rest()
        await self._ahead.ended()

    def _tell_of_keys(self) -> None:
        self.holds.report()
        # Only rows without an id need the registry: while it is away, the others go on.
        if (away := self.holds.why(REGISTRY_AWAY)) is not None:
            self.outages.began("registry", error=away)
        else:
            self.outages.ended("registry")

    async def _rest(self) -> None:
        """Until the next look. One that passed many rows of others or of held keys is not repeated all the time, told or not."""
        longest = self._settings.longest_wait.total_seconds()
        await self._unless(self._stopping, min(self._looked, _DEAF_SECONDS))
        await self._unless(
            self._woken, max(self._settings.poll.total_seconds(), min(self._looked * _LOOK_SHARE, longest))
        )

    async def _round(self) -> bool:
        """Relay one batch; answer whether there was anything to relay."""
        if self._lease.surplus:
            await self._ahead.ended()
            await self._lease.give_back(self._lease.surplus)
        if not self._lease.is_safe:
            return False
        epochs = dict(self._lease.held)
        if untaken := self._fence.untaken(epochs):
            self._unread |= untaken
            await self._fence.take(epochs, held=self._ours)
            return True
        if self._unread:
            await self._forget_sent(self._unread & epochs.keys(), epochs)
            return True
        rows = await self._ahead.rows(epochs) or await self._rows(epochs)
        if not rows:
            return False
        unsent = await self._unsent(_portion(rows, self._fence.portion), epochs)
        ready, held = await self._late_ids.fill(_next_alone(unsent, self._suspects))
        self.holds.add(held)
        batch = Batch(ready, hooks=self._hooks, clock=self._clock)
        # A note of what was sent has room for one batch, so that there each is deleted before the next is sent.
        may_read = self._has_more and not (self._fence.keeps_marks or self._stopping.is_set())
        if is_full := may_read and len(ready) == len(rows):
            self._ahead.read(partial(self._read, epochs, besides=ready), epochs=epochs)
        await batch.send(self._fence, registry_url=self._registry_url, may_send=partial(self._lease.covers, epochs))
        await self._answers(batch, epochs)
        await self._ahead.deleted()
        self._suspects = (self._suspects - {row.position for row in ready}) | batch.suspects()
        self._overtaken = batch.tell_overtaken(self._overtaken)
        if is_full and batch.is_clean:
            self._ahead.delete(self._finish(batch, epochs))
        else:
            self._ahead.forget()
            await self._finish(batch, epochs)
        return True

    async def _rows(self, epochs: Mapping[int, int]) -> list[Pending]:
        await self._ahead.deleted()
        return await self._read(epochs)

    async def _read(self, epochs: Mapping[int, int], *, besides: Sequence[Pending] = ()) -> list[Pending]:
        began, held = self._clock(), self.holds.keys()
        limit = self._size.rows
        rows = await self._backlog.read(epochs, held=held, besides=besides, limit=limit)
        self._has_more = len(rows) == limit
        self._size.saw(rows)
        self._looked = self._clock() - began
        return rows

    async def _ours(self) -> Mapping[int, int]:
        await self._renew()
        return self._lease.held

    async def _forget_sent(self, lanes: AbstractSet[int], epochs: Mapping[int, int]) -> None:
        """Deletes what former owners sent for good, wherever it stands: the first commit of ours overwrites their notes."""
        topics = await self._backlog.topics(lanes)
        sent = {lane: await self._fence.sent(lane, names) for lane, names in topics.items()}
        marks = frozenset[bytes]().union(*sent.values())
        there = await self._backlog.at(map(position_of, marks)) if marks else []
        known = [row for row in there if mark_of(row) in sent.get(row.lane, ())]
        if known and await self._deleted(known, epochs) < len(known):
            await self._renew()  # a lane was lost, or rows went meanwhile: look again
        else:
            self._unread = frozenset()

    async def _deleted(self, known: Sequence[Pending], epochs: Mapping[int, int]) -> int:
        places = {row.position: Place(row.topic, *_SOMEWHERE) for row in known}
        return await self._backlog.delete(known, owner=self._lease.owner, epochs=epochs, places=places)

    async def _unsent(self, rows: Sequence[Pending], epochs: Mapping[int, int]) -> Sequence[Pending]:
        """The rows without those that a former owner sent for good and could not delete: these are only deleted."""
        if not self._fence.keeps_marks:
            return rows
        topics: dict[int, set[str]] = defaultdict(set)
        for lane, topic in {(row.lane, row.topic) for row in rows}:
            topics[lane].add(topic)
        sent = {lane: await self._fence.sent(lane, names) for lane, names in topics.items()}
        known = [row for row in rows if mark_of(row) in sent[row.lane]] if any(sent.values()) else []
        if not known:
            return rows
        await self._deleted(known, epochs)
        return [row for row in rows if mark_of(row) not in sent[row.lane]]

    async def _answers(self, batch: Batch, epochs: Mapping[int, int]) -> None:
        """Wait for the broker, as long as the lanes are ours; then drop what is not on the wire."""
        while not await batch.settled(within=LOOK_SECONDS):
            is_last = self._stopping.is_set()
            if is_last and await batch.settled(within=self._settings.last_answers.total_seconds()):
                break
            if is_last or not self._lease.covers(epochs):
                batch.give_up(self._fence)
                return
            if self._clock() - batch.started >= self._settings.late_after.total_seconds():
                self.outages.began("kafka", error="The broker does not acknowledge.")
        if batch.outage is None:
            self.outages.ended("kafka")

    async def _finish(self, batch: Batch, epochs: Mapping[int, int]) -> None:
        """Write down what the broker said; again and again if the database is away, so that nothing is sent twice."""
        self.holds.add(batch.held)
        refusals = list(batch.refusals())
        if refusals:
            await self._insist(partial(self._backlog.fail, refusals, owner=self._lease.owner, epochs=epochs))
        sent = batch.acknowledged
        if sent:
            delete = partial(self._backlog.delete, sent, owner=self._lease.owner, epochs=epochs, places=batch.places)
            deleted = await self._insist(delete)
            if deleted is not None and deleted < len(sent):
                await self._tried(self._renew)  # tells which lanes were lost
            self._hooks(Relayed(rows=len(sent), seconds=self._clock() - batch.started, lanes=len(epochs)))
        if batch.outage is not None:
            raise Outage(batch.outage.text, dependency="kafka")

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T | None:
        while (done := await self._tried(work)) is None and not self._stopping.is_set():
            await self._back_off()
        return done

    async def _tried(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """What the work answered; None if a dependency is away, which is then told to the observers."""
        try:
            done = await work()
        except (DBAPIError, PoolTimeout) as error:
            if not is_waited_out(error):
                raise
            self.outages.began("database", error=str(error))
        except Outage as error:
            self.outages.began(error.dependency, error=str(error))
        else:
            self.outages.ended("database")
            return done
        return None

    async def _back_off(self) -> None:
        wait = backoff(
            self._failures,
            first=self._settings.first_wait,
            ceiling=self._settings.longest_wait,
            jitter=self._random(),
        )
        self._failures += 1
        await self._unless(self._stopping, wait.total_seconds())

    async def _unless(self, event: asyncio.Event, seconds: float) -> None:
        """Wait so long, or until the event."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()


def _portion(rows: Sequence[Pending], most: int | None) -> Sequence[Pending]:
    """The first rows of each lane."""
    if most is None:
        return rows
    taken: Counter[int] = Counter()
    first = []
    for row in rows:
        taken[row.lane] += 1
        if taken[row.lane] <= most:
            first.append(row)
    return first


def _next_alone(rows: Sequence[Pending], suspects: AbstractSet[int]) -> Sequence[Pending]:
    """The first row that has to travel alone, after the earlier rows of its key; all rows, if none has to."""
    first = next((row for row in rows if row.position in suspects), None) if suspects else None
    if first is None:
        return rows
    earlier = [row for row in rows if row.key == first.key and row.position < first.position]
    return earlier or [first]
