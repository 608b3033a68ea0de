"""A transport in memory that behaves like Kafka where it matters to a consumer: partitions, groups, rebalances, commits.

One event loop, no thread. ``MemoryBroker`` holds the topics; producers and sources share it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from treaty_runtime.clock import EPOCH, utcnow
from treaty_runtime.errors import Outage, QueueFull
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.transport.protocol import (
    Assigned,
    Delivery,
    Fault,
    FaultKind,
    Lost,
    Outgoing,
    Position,
    Records,
    Revoking,
    SourceEvent,
)

_BATCH = 500


@dataclass(eq=False)
class _Group:
    committed: dict[Partition, Position] = field(default_factory=dict)
    members: list[MemorySource] = field(default_factory=list)


class MemoryBroker:
    """Topics of fixed partitions and groups that share them. ``down`` makes every produce and commit fail as an outage."""

    def __init__(self, *, partitions: int = 3, now: Callable[[], datetime] = utcnow) -> None:
        self._partitions, self.now = partitions, now
        self._logs: dict[Partition, list[Record]] = {}
        self._topics: dict[str, int] = {}
        self._groups: dict[str, _Group] = {}
        self.is_down = False
        self.refusals: dict[str, Fault] = {}

    def topic(self, name: str, *, partitions: int | None = None) -> None:
        """Creates a topic; existing ones stay. Topics that somebody uses are created too."""
        if name not in self._topics:
            self._topics[name] = partitions or self._partitions
            for number in range(self._topics[name]):
                self._logs[Partition(name, number)] = []

    def records(self, topic: str) -> list[Record]:
        """Everything in a topic, partition by partition."""
        self.topic(topic)
        return [record for number in range(self._topics[topic]) for record in self._logs[Partition(topic, number)]]

    def committed(self, group: str) -> Mapping[Partition, Position]:
        """What a group committed."""
        return self.group(group).committed

    def group(self, name: str) -> _Group:
        """The group of that name, made at first use."""
        return self._groups.setdefault(name, _Group())

    def append(self, record: Outgoing) -> Delivery:
        """Stores a record, or answers why not."""
        if record.topic in self.refusals:
            return Delivery(None, -1, self.refusals[record.topic])
        self.topic(record.topic)
        number = record.partition
        if number is None:
            number = crc32(record.key or b"") % self._topics[record.topic]
        log = self._logs[Partition(record.topic, number)]
        place = Place(record.topic, number, len(log))
        time = record.timestamp_ms
        if time is None:
            time = (self.now() - EPOCH) // timedelta(milliseconds=1)
        log.append(Record(place=place, key=record.key, value=record.value, headers=record.headers, timestamp_ms=time))
        for group in self._groups.values():
            for member in group.members:
                member.wake()
        return Delivery(place, time)

    def read(self, partition: Partition, offset: int, count: int) -> list[Record]:
        """Up to ``count`` records from an offset on."""
        return self._logs[partition][offset : offset + count]

    def partitions_of(self, topics: Iterable[str]) -> list[Partition]:
        """All partitions of topics, which are created if new."""
        found: list[Partition] = []
        for name in topics:
            self.topic(name)
            found += [Partition(name, number) for number in range(self._topics[name])]
        return found

    def rebalance(self, group: str) -> None:
        """Shares the partitions of a group among its members, keeping what can stay (cooperative)."""
        members = self.group(group).members
        shares: dict[MemorySource, set[Partition]] = {member: set() for member in members}
        wanted = sorted({partition for member in members for partition in self.partitions_of(member.topics)})
        for index, partition in enumerate(wanted):
            takers = [member for member in members if partition.topic in member.topics]
            shares[takers[index % len(takers)]].add(partition)
        for member, share in shares.items():
            member.give_up(member.assigned - share)
        for member, share in shares.items():
            member.take(share - member.assigned)


class MemoryProducer:
    """Produces into a ``MemoryBroker``; acknowledgements come in a later turn of the loop, as with a real one."""

    def __init__(self, broker: MemoryBroker, *, capacity: int = 100_000) -> None:
        self._broker, self._capacity = broker, capacity
        self._queue: deque[tuple[Outgoing, Callable[[Delivery], None]]] = deque()
        self._is_scheduled = False
        self._is_closed = False
        self._settled = asyncio.Event()

    def open(self) -> None:
        """Nothing to connect."""

    def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
        """Queues a record; ``QueueFull`` beyond the capacity."""
        if len(self._queue) >= self._capacity:
            raise QueueFull
        self._queue.append((record, done))
        self._settled.clear()
        self._schedule()

    async def room(self) -> None:
        """Waits until four fifths are free."""
        while len(self._queue) >= 0.8 * self._capacity:
            await self._turn()

    async def flush(self, within: timedelta) -> int:
        """Waits for all answers; answers how many are missing."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                while self._queue:
                    await self._turn()
        except TimeoutError:
            pass
        return len(self._queue)

    def purge(self) -> None:
        """Drops what is queued."""
        fault = Fault("_PURGE_QUEUE", "purged from the queue", FaultKind.FENCED)
        while self._queue:
            self._queue.popleft()[1](Delivery(None, -1, fault))

    @property
    def is_empty(self) -> bool:
        """Whether every record was answered."""
        return not self._queue

    async def close(self) -> None:
        """Drops what is queued."""
        self._is_closed = True
        self.purge()

    async def _turn(self) -> None:
        self._schedule()
        self._settled.clear()
        await self._settled.wait()

    def _schedule(self) -> None:
        if not self._is_scheduled and not self._is_closed:
            self._is_scheduled = True
            # While the broker is down nothing changes until somebody brings it up: ask now and then.
            asyncio.get_running_loop().call_later(0.01 if self._broker.is_down else 0, self._deliver)

    def _deliver(self) -> None:
        self._is_scheduled = False
        if self._broker.is_down:
            if self._queue:
                self._schedule()
            return
        for _ in range(len(self._queue)):
            record, done = self._queue.popleft()
            done(self._broker.append(record))
        self._settled.set()


class MemorySource:
    """A member of a group on a ``MemoryBroker``.

    What is not given back within ``drain`` and five seconds of closing leaves without its commit; a rebalance waits for it.
    """

    def __init__(
        self, broker: MemoryBroker, *, group: str, topics: Iterable[str], drain: timedelta = timedelta(seconds=10)
    ) -> None:
        self._broker, self._group = broker, group
        self._revoke_seconds = drain.total_seconds() + 5  # as a real source: only bounds a reader that hangs
        self.topics = tuple(topics)
        self.assigned: set[Partition] = set()
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._events: deque[SourceEvent] = deque()
        self._revoking: set[Partition] = set()
        self._woken = asyncio.Event()
        self._returned = asyncio.Event()
        self._returned.set()
        self._is_closing = self._is_closed = self._has_joined = self._is_read = False

    def events(self) -> AsyncIterator[SourceEvent]:
        """Joins the group at the first step and yields what happens, until closed."""
        return self._run()

    async def _run(self) -> AsyncIterator[SourceEvent]:
        self._has_joined = self._is_read = True
        self._broker.group(self._group).members.append(self)
        self._broker.rebalance(self._group)
        try:
            while not self._is_closed:
                if self._events:
                    yield self._events.popleft()
                    continue
                records = self._fetch()
                if records:
                    yield Records(records)
                    continue
                self._woken.clear()
                await self._woken.wait()
        finally:
            # A reader that was cancelled gives nothing back any more: who closes must not wait for it for ever.
            self._is_read = False
            self._returned.set()

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Stops fetching."""
        self._paused.update(partitions)

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Fetches again."""
        self._paused.difference_update(partitions)
        self.wake()

    def seek(self, place: Place) -> None:
        """Reads from that place next, as a new assignment."""
        if place.of in self._positions:
            again = frozenset({place.of})
            self._positions[place.of] = place.offset
            self._events += [Lost(again), Assigned(again, {})]
            self.resume(again)

    async def commit(self, offsets: Mapping[Partition, Position]) -> None:
        """Commits what is still assigned."""
        await asyncio.sleep(0)
        if self._broker.is_down:
            raise Outage("The memory broker is down.", dependency="kafka")
        self._store(offsets)

    async def close(self) -> None:
        """Gives everything back in good order and leaves, also when nobody reads its events any more."""
        group = self._broker.group(self._group)
        if self not in group.members:
            self._is_closed = True
            self.wake()
            return
        self._is_closing = True
        self.give_up(set(self.assigned))
        if self._is_read:
            with suppress(TimeoutError):  # an iterator that is held and not asked looks like a slow reader
                async with asyncio.timeout(self._revoke_seconds):
                    await self._returned.wait()
        self._drop(frozenset(self.assigned))
        group.members.remove(self)
        self._is_closed = True
        self.wake()
        self._broker.rebalance(self._group)

    @property
    def is_quiet(self) -> bool:
        """Whether it has joined and nothing is left to yield."""
        is_read = all(
            not self._broker.read(partition, self._positions[partition], 1)
            for partition in self.assigned - self._paused
        )
        return self._has_joined and not self._events and is_read

    def lose(self) -> None:
        """Throws the member out of the group, as after a missed heartbeat; it joins again at once."""
        lost = frozenset(self.assigned)
        self._drop(lost)
        self._events.append(Lost(lost))
        self._broker.rebalance(self._group)

    def vanish(self) -> None:
        """Ends without a word, as a killed process: nothing is committed; others get the partitions."""
        self._drop(frozenset(self.assigned))
        self._broker.group(self._group).members.remove(self)
        self._events.clear()
        self._is_closed = True
        self.wake()
        self._broker.rebalance(self._group)

    def take(self, partitions: set[Partition]) -> None:
        """The group gives partitions; those another member still drains come when it is done."""
        group = self._broker.group(self._group)
        busy = {partition for member in group.members if member is not self for partition in member.assigned}
        ready = frozenset(partitions - busy)
        if not ready:
            return
        self.assigned |= ready
        known = {partition: group.committed[partition] for partition in ready if partition in group.committed}
        self._positions.update({partition: known[partition].offset if partition in known else 0 for partition in ready})
        self._events.append(Assigned(ready, known))
        self.wake()

    def give_up(self, partitions: set[Partition]) -> None:
        """The group takes partitions away, after a last commit."""
        leaving = frozenset(partitions - self._revoking)
        if not leaving:
            return
        self._revoking |= leaving
        self._paused |= leaving
        self._returned.clear()

        def done(offsets: Mapping[Partition, Position]) -> None:
            self._store({partition: position for partition, position in offsets.items() if partition in leaving})
            self._drop(leaving)
            self._revoking -= leaving
            if not self._revoking:
                self._returned.set()
            if not self._is_closing:
                self._broker.rebalance(self._group)

        self._events.append(Revoking(leaving, done))
        self.wake()

    def wake(self) -> None:
        """Something may have changed."""
        self._woken.set()

    def _store(self, offsets: Mapping[Partition, Position]) -> None:
        mine = {partition: position for partition, position in offsets.items() if partition in self.assigned}
        self._broker.group(self._group).committed.update(mine)

    def _drop(self, partitions: frozenset[Partition]) -> None:
        self.assigned -= partitions
        self._paused -= partitions
        for partition in partitions:
            self._positions.pop(partition, None)

    def _fetch(self) -> list[Record]:
        found: list[Record] = []
        for partition in sorted(self.assigned - self._paused):
            records = self._broker.read(partition, self._positions[partition], _BATCH - len(found))
            if records:
                self._positions[partition] = records[-1].place.offset + 1
                found += records
        return found
