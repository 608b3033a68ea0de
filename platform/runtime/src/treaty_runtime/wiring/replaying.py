"""Records of the past through today's handlers, once, without a group: to fill what a handler missed, or to build a table anew.

Law: records of one key, or of one partition where the group says so, are handled in their order, one after the other. Nothing is
committed, copied or dead-lettered: what fails is told, and the rest goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zlib import crc32

from treaty_runtime.classify import Kind, classify
from treaty_runtime.clock import EPOCH
from treaty_runtime.consume.reader import Reader
from treaty_runtime.errors import (
    PROCESS_ENDS,
    HandlerBroke,
    HandlerCancelled,
    HandlerTimeout,
    NoSession,
    TreatyError,
)
from treaty_runtime.event import Context, Effects, Outcome, Partition, Place, Record
from treaty_runtime.handlers import Group, Handler
from treaty_runtime.limits import Limits
from treaty_runtime.seek import Span
from treaty_runtime.wire.failure import describe

LANES = 16
ATTEMPTS = 3
_WAITING = 100
_TOLD_FAILURES = 100


class BeyondInbox(TreatyError):
    """Records are older than the inbox remembers, so their effects may happen twice: begin later, or say that this is right."""

    def __init__(self, partition: Partition, known_from: datetime) -> None:
        super().__init__(
            f"{partition.topic}/{partition.partition} holds records from before {known_from:%Y-%m-%d %H:%M}Z, which the "
            "inbox does not remember: begin later, or say --beyond-inbox if doing them twice is right."
        )


@dataclass(slots=True, kw_only=True)
class ReplayReport:
    """What became of the records of a replay; ``failures`` holds the first hundred.

    ``spans``: what was read of each partition, from offset to offset; ``began``: the time of the first record read there.
    """

    handled: int = 0
    duplicates: int = 0
    skipped: int = 0
    failed: int = 0
    failures: list[tuple[Place, str]] = field(default_factory=list)
    spans: dict[Partition, Span] = field(default_factory=dict)
    began: dict[Partition, datetime] = field(default_factory=dict)

    @property
    def seen(self) -> int:
        """All of them."""
        return self.handled + self.duplicates + self.skipped + self.failed


class Replaying:
    """Handles records for one group. ``uses_inbox`` False: into tables without an inbox, in which nothing has happened yet.

    ``external``: "skip" leaves out handlers that act outside of the database, "run" calls them. ``remembers``: records older than this
    have failed, as the inbox may have forgotten them, even since the replay began; None: they are handled.
    """

    def __init__(
        self,
        group: Group,
        reader: Reader,
        effects: Effects | None,
        *,
        uses_inbox: bool,
        external: Literal["skip", "run"],
        remembers: timedelta | None,
        now: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._group, self._reader, self._effects = group, reader, effects
        self._uses_inbox, self._external, self._now, self._random = uses_inbox, external, now, random
        self._limits, self._remembers = Limits(), remembers
        self.report = ReplayReport()

    async def run(self, chunks: AsyncIterator[Sequence[Record]]) -> ReplayReport:
        """Handles everything; waits out what is away. Raises NoSession for a batch handler without a database."""
        lanes: list[asyncio.Queue[Record]] = [asyncio.Queue(_WAITING) for _ in range(LANES)]
        workers = [asyncio.create_task(self._serve(lane)) for lane in lanes]
        try:
            async for chunk in chunks:
                for record in chunk:
                    self.report.began.setdefault(record.place.of, _time_of(record))
                    await lanes[self._lane(record)].put(record)
            await asyncio.gather(*(lane.join() for lane in lanes))
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return self.report

    async def _serve(self, lane: asyncio.Queue[Record]) -> None:
        me = asyncio.current_task()
        while not (me and me.cancelling()):  # a handler may swallow that it is cancelled
            record = await lane.get()
            try:
                await self._settle(record)
            finally:
                lane.task_done()

    async def _settle(self, record: Record) -> None:
        failures = waits = 0
        while True:
            try:
                await self._handled(record)
            except Exception as error:  # noqa: BLE001  # classified below
                kind = classify(error, self._group.every_rule)
                failures += kind not in {Kind.OUTAGE, Kind.STALLED}
                if kind is Kind.POISON or failures >= ATTEMPTS:
                    self._failed(record, error)
                    return
                await asyncio.sleep(self._limits.patience(waits, self._random()).total_seconds())
                waits += 1
            else:
                return

    async def _handled(self, record: Record) -> None:
        me = asyncio.current_task()
        try:
            await self._handle(record)
        except asyncio.CancelledError:
            if me and me.cancelling():
                raise
            raise HandlerCancelled from None  # something that it awaited was
        except (Exception, *PROCESS_ENDS):
            raise
        except BaseException as error:
            raise HandlerBroke(error) from error  # else its lane stands for ever

    async def _handle(self, record: Record) -> None:
        arrival = self._reader.arrival(record)
        if arrival.skip is not None:
            self.report.skipped += 1
            return
        route = self._reader.known(record) or await self._reader.find(record)
        handler = route.handler
        if handler is None or (handler.external and self._external == "skip"):
            self.report.skipped += 1
            return
        if self._remembers is not None and _time_of(record) < (known_from := self._now() - self._remembers):
            self._failed(record, BeyondInbox(record.place.of, known_from))
            return
        envelope = self._reader.open(record, route, attempt=1)
        envelope.__dict__["is_replay"] = True
        outcome = await self._called(handler, Context(envelope=envelope, deadline=self._now() + handler.timeout))
        if outcome is Outcome.DUPLICATE:
            self.report.duplicates += 1
        else:
            self.report.handled += 1

    async def _called(self, handler: Handler, context: Context) -> Outcome:
        envelope, inbox = context.envelope, handler.inbox and self._uses_inbox
        async with asyncio.timeout(handler.timeout.total_seconds()):
            if handler.takes == "batch":
                if self._effects is None:
                    raise NoSession
                (outcome,) = await self._effects.run_batch(
                    [envelope],
                    group=self._group.name,
                    handle=lambda batch: handler.call([each.event for each in batch.envelopes], batch),
                    deadline=context.deadline,
                    inbox=inbox,
                )
                return outcome
            if self._effects is None:
                await handler.bind(envelope)(context)
                return Outcome.HANDLED
            return await self._effects.run(
                envelope,
                group=self._group.name,
                handle=handler.bind(envelope),
                deadline=context.deadline,
                inbox=inbox,
            )

    def _failed(self, record: Record, error: Exception) -> None:
        self.report.failed += 1
        if len(self.report.failures) < _TOLD_FAILURES:
            told = describe(HandlerTimeout() if isinstance(error, TimeoutError) else error)
            self.report.failures.append((record.place, f"{told.error_class}: {told.message}"))

    def _lane(self, record: Record) -> int:
        lane = self._reader.lane(record)
        return record.place.offset % LANES if lane is None else crc32(repr(lane).encode()) % LANES


def _time_of(record: Record) -> datetime:
    return EPOCH + timedelta(milliseconds=max(record.timestamp_ms, 0))
