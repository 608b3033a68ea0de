"""One batch of outbox rows on its way: what was acknowledged, what waits, what will never be taken.

Law: once a row of a key has failed, no later row of that key is sent in the batch.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache, partial

from treaty_runtime.errors import NotFramed, QueueFull
from treaty_runtime.event import Place
from treaty_runtime.hooks import Hooks, Overtaken, Published, PublishRefused, Trace
from treaty_runtime.publish.backlog import Pending, Refusal
from treaty_runtime.publish.outbox_headers import WRITER, load_headers
from treaty_runtime.transport import Delivery, Fault, FaultKind, Fence, Outgoing
from treaty_runtime.wire.headers import DATASCHEMA, dataschema_of
from treaty_runtime.wire.serde import FRAME_BYTES, schema_id_of

_TOO_LARGE = "MSG_SIZE_TOO_LARGE"
_INVALID = "INVALID_RECORD"
"""A row that no record can be made of is set aside like one whose record the broker refuses: nothing of it is sent."""
_FULL = Fault("_QUEUE_FULL", "The producer's queue is full of what others send.", FaultKind.AGAIN)
_NO_OUTAGE = frozenset({FaultKind.REFUSED, FaultKind.AGAIN})
_POSITION_BYTES = 6
CHUNK = 100
"""Rows between two looks at the lease, and two turns of the loop."""


class Batch:
    """Sends rows in order and collects the answers, by count: a thousand rows wait on one event."""

    def __init__(self, rows: Sequence[Pending], *, hooks: Hooks, clock: Callable[[], float]) -> None:
        self.acknowledged: list[Pending] = []
        self.places: dict[int, Place] = {}
        self.held: dict[str, Fault] = {}
        self.outage: Fault | None = None
        self._untaken: list[tuple[Pending, Fault]] = []
        self._blocked: set[str] = set()
        self._rows, self._hooks, self._clock = rows, hooks, clock
        self._waiting = 0
        self._is_sent = self._is_given_up = False
        self._settled = asyncio.Event()
        self.started = clock()

    async def send(self, fence: Fence, *, registry_url: str, may_send: Callable[[], bool]) -> None:
        """Produce every row whose key is not blocked; stop and purge as soon as `may_send` says no.

        The loop goes on between two chunks, and with it what is read or deleted meanwhile; but what is produced in one of its turns is
        one transaction of a fence that keeps marks.
        """
        for number, row in enumerate(self._rows):
            if number % CHUNK == 0:
                if number and not fence.keeps_marks:
                    await asyncio.sleep(0)
                if not may_send():
                    self.give_up(fence)
                    break
            if row.key in self._blocked:
                continue
            try:
                record = outgoing(row, registry_url=registry_url, has_mark=fence.keeps_marks)
            except (NotFramed, ValueError) as error:
                self._failed(row, Fault(_INVALID, str(error), FaultKind.REFUSED))
                continue
            self._waiting += 1
            try:
                fence.producer(row.lane).produce(record, partial(self._answered, row))
            except QueueFull:  # the rest is of the next batch, which begins when these have their answers
                self._waiting -= 1
                if not (self._waiting or self.acknowledged):
                    self.outage = self.outage or _FULL
                break
        self._is_sent = True
        if not self._waiting:
            self._settled.set()

    def give_up(self, fence: Fence) -> None:
        """Drop what is not on the wire: the rows stay in the table for whoever owns their lane next."""
        self._is_given_up = True
        fence.purge()

    async def settled(self, *, within: float) -> bool:
        """Whether every produced row was answered in that many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._settled.wait()
        except TimeoutError:
            return False
        return True

    @property
    def is_clean(self) -> bool:
        """Whether the broker took every row."""
        return len(self.acknowledged) == len(self._rows)

    def suspects(self) -> set[int]:
        """Positions of rows that were refused together as too large: the broker judges what travels in one request as one."""
        too_large = [row for row, fault in self._untaken if fault.name == _TOO_LARGE]
        topics = Counter(row.topic for row in too_large)
        return {row.position for row in too_large if topics[row.topic] > 1}

    def refusals(self) -> Iterator[Refusal]:
        """Rows that the broker will never take."""
        overtaken = {row.position for row, _ in self._overtaken()}
        for row, fault in self._refused():
            self._hooks(
                PublishRefused(
                    topic=row.topic,
                    event_type=row.type,
                    event_id=row.id,
                    error_type=fault.name,
                    reason=fault.text,
                    trace=_trace(row.trace),
                )
            )
            yield Refusal(row=row, code=fault.name, error=fault.text, overtaken=row.position in overtaken)

    def tell_overtaken(self, told: AbstractSet[int]) -> AbstractSet[int]:
        """Tell of each row that a later one of its key passed, once: positions in ``told`` are known. Answers those still to be sent."""
        if not (told or self._untaken):
            return told
        passed = self._overtaken()
        for row, fault in passed:
            if row.position not in told:
                self._hooks(
                    Overtaken(
                        topic=row.topic,
                        event_type=row.type,
                        event_id=row.id,
                        error_type=fault.name,
                        trace=_trace(row.trace),
                    )
                )
        ended = {row.position for row in self.acknowledged} | {row.position for row, _ in self._refused()}
        return (told | {row.position for row, _ in passed}) - ended

    def _refused(self) -> list[tuple[Pending, Fault]]:
        suspects = self.suspects()
        return [
            (row, fault)
            for row, fault in self._untaken
            if fault.kind is FaultKind.REFUSED and row.position not in suspects
        ]

    def _overtaken(self) -> list[tuple[Pending, Fault]]:
        """Of one topic, as there is no order between topics."""
        if not self._untaken:
            return []
        last = {(row.topic, row.key): row.position for row in sorted(self.acknowledged, key=_position)}
        return [(row, fault) for row, fault in self._untaken if last.get((row.topic, row.key), -1) > row.position]

    def _answered(self, row: Pending, delivery: Delivery) -> None:
        self._waiting -= 1
        fault = delivery.fault
        if fault is None:
            self.acknowledged.append(row)
            if delivery.place is not None:
                self.places[row.position] = delivery.place
                if self._hooks.are_heard:
                    self._published(row, delivery.place)
        else:
            self._failed(row, fault)
        if self._is_sent and not self._waiting:
            self._settled.set()

    def _failed(self, row: Pending, fault: Fault) -> None:
        self._blocked.add(row.key)
        self._untaken.append((row, fault))
        if fault.kind is FaultKind.HELD:
            self.held.setdefault(row.key, fault)
        elif fault.kind not in _NO_OUTAGE and not self._is_given_up:
            self.outage = self.outage or fault

    def _published(self, row: Pending, place: Place) -> None:
        self._hooks(
            Published(
                topic=row.topic,
                event_type=row.type,
                event_id=row.id,
                place=place,
                seconds=self._clock() - self.started,
                trace=_trace(row.trace),
            )
        )


def outgoing(row: Pending, *, registry_url: str, has_mark: bool = False) -> Outgoing:
    """The record of a row whose schema id is filled in. Raises ``NotFramed``, ``ValueError`` for headers that are none."""
    headers = load_headers(row.headers)
    headers.pop(WRITER, None)
    headers[DATASCHEMA] = _dataschema(registry_url, row.payload[:FRAME_BYTES])
    named = tuple(headers.items())
    if row.trace is not None:
        named += tuple((name, value.encode()) for name, value in _trace(row.trace))
    return Outgoing(
        topic=row.topic,
        key=row.key.encode(),
        value=row.payload,
        headers=named,
        mark=mark_of(row) if has_mark else b"",
    )


@lru_cache(maxsize=1_024)
def _dataschema(registry_url: str, framed: bytes) -> bytes:
    """By the bytes before the value's body: rows of a batch have few schemas."""
    return dataschema_of(registry_url, schema_id_of(framed)).encode()


def mark_of(row: Pending) -> bytes:
    """What no other row has: its position, and most of its id, as positions are used again in a database that was restored."""
    return (row.position & 0xFFFF_FFFF_FFFF).to_bytes(_POSITION_BYTES, "big") + row.id.bytes[6:]


def position_of(mark: bytes) -> int:
    """Where the row of a mark stands."""
    return int.from_bytes(mark[:_POSITION_BYTES], "big")


def _trace(text: str | None) -> Trace:
    if text is None:
        return ()
    pairs = (line.partition("=") for line in text.splitlines())
    return tuple((name, value) for name, _, value in pairs)


def _position(row: Pending) -> int:
    return row.position
