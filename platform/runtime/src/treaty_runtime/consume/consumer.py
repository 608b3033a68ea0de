"""One member of a consumer group: obeys the dispatch and tells it what happened. No decision is made here.

Everything runs on one event loop; the transport's thread only fetches. Handlers run in workers, each in the transaction that
``Effects`` opens for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from treaty_runtime import hooks as seen
from treaty_runtime.classify import Kind, classify, outages
from treaty_runtime.clock import Clock, SystemClock
from treaty_runtime.consume.actions import (
    Action,
    Commit,
    Complete,
    Copy,
    DeadLetter,
    Drop,
    Handle,
    Pause,
    Probe,
    Resume,
    Skip,
    Wait,
)
from treaty_runtime.consume.attempt import Attempt, Attempts, Skipped
from treaty_runtime.consume.copies import Answer, Copies, Told
from treaty_runtime.consume.dispatch import Away, Dispatch
from treaty_runtime.consume.facts import FailedAttempt
from treaty_runtime.consume.reader import Reader
from treaty_runtime.consume.workers import Workers
from treaty_runtime.errors import Outage, Oversize, Poison, TreatyError
from treaty_runtime.event import Effects, Outcome, Partition, Place, Record
from treaty_runtime.handlers import Group
from treaty_runtime.hooks import Hooks
from treaty_runtime.transport import Assigned, Broken, Lost, Position, Producer, Records, Revoking, Source
from treaty_runtime.wire.failure import describe

_TICK = timedelta(seconds=1)
_RECONNECT_SECONDS = 1.0


class Consumer:
    """Runs a group's handlers on what a source brings, until stopped.

    ``connect`` makes a new member of the group; it is called again when a client broke for good. ``producer`` carries retries and
    dead letters. ``random`` answers in [0, 1).
    """

    def __init__(
        self,
        group: Group,
        *,
        connect: Callable[[], Source],
        reader: Reader,
        producer: Producer,
        random: Callable[[], float],
        effects: Effects | None = None,
        hooks: Hooks | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.group = group
        self._connect, self._reader, self._random = connect, reader, random
        self._hooks = hooks if hooks is not None else Hooks()
        self._clock = clock if clock is not None else SystemClock()
        self._rules = (*group.rules, outages(*group.outages))
        self.dispatch = Dispatch(group=group.name, policy=group.retry, limits=group.limits)
        self._attempts = Attempts(reader, effects, group=group.name, clock=self._clock, hooks=self._hooks)
        self._workers: Workers[Attempt, object] = Workers(group.workers, self._attempts.begin, self._ended)
        self._copies = Copies(producer, group=group.name, dead_letter_topic=group.dead_letter, report=self._copied)
        self._told: dict[Place, Told] = {}
        self._outage: Away | None = None
        self._broken_at: datetime | None = None
        self._source: Source | None = None
        self._progress = asyncio.Event()
        self._committing: asyncio.Task[None] | None = None
        self._stop_ticking: Callable[[], None] = lambda: None
        self._is_stopping = self._is_draining = False

    async def run(self) -> None:
        """Joins the group and works until ``stop``. A broken client is replaced."""
        self._tick()
        try:
            while not self._is_stopping:
                self._source = self._connect()
                await self._follow(self._source)
                if not self._is_stopping:
                    self._lose(frozenset(each.partition for each in self.dispatch.assignments.values()))
                    await asyncio.sleep(_RECONNECT_SECONDS)
        finally:
            self._stop_ticking()
            await self._workers.close()

    async def stop(self) -> None:
        """Leaves the group in good order: handlers get their time, what is done is committed, the rest is cancelled."""
        self._is_stopping = True
        if self._source is not None:
            await self._source.close()

    @property
    def is_idle(self) -> bool:
        """Whether no handler runs and no commit is under way; waits for a later time do not count."""
        return self._workers.is_idle and self._committing is None

    @property
    def poll_age_seconds(self) -> float:
        """How long ago the source's thread turned; 0 for a source without a thread or before the first."""
        return float(getattr(self._source, "poll_age_seconds", 0.0))

    # -- what the source brings

    async def _follow(self, source: Source) -> None:
        async for event in source.events():
            match event:
                case Records():
                    self._receive(event.records)
                    await asyncio.sleep(0)  # while they are warm in the processor's memory
                case Assigned():
                    self._rejoined()
                    self._obey(self.dispatch.assigned(event.partitions, event.committed))
                    self._hooks(seen.Rebalanced(group=self.group.name, assigned=event.partitions))
                case Revoking():
                    await self._drain(event)
                case Lost():
                    self._lose(event.partitions)
                case Broken():
                    self._broke(event.fault.text)
                    return

    def _broke(self, error: str) -> None:
        if self._broken_at is None:  # a client that replaces a broken one may break too: that is the same outage
            self._broken_at = self._clock.now()
            self._hooks(seen.OutageBegan(group=self.group.name, dependency="kafka", error=error))

    def _rejoined(self) -> None:
        if self._broken_at is not None:
            seconds = (self._clock.now() - self._broken_at).total_seconds()
            self._broken_at = None
            self._hooks(seen.Recovered(group=self.group.name, dependency="kafka", seconds=seconds))

    def _receive(self, records: Sequence[Record]) -> None:
        now, arrival, arrived, submit = (
            self._clock.now(),
            self._reader.arrival,
            self.dispatch.arrived,
            self._workers.submit,
        )
        for record in records:
            for action in arrived(record.place, arrival(record), now):
                if type(action) is Handle:  # nearly always; without a further call
                    submit(Attempt(action.place, action.epoch, action.attempt, record))
                else:
                    self._do(action)
        if self._hooks:
            counts = Counter(record.place.topic for record in records)
            self._hooks(seen.Received(group=self.group.name, counts=counts))

    async def _drain(self, event: Revoking) -> None:
        leaving = event.partitions
        self._obey(self.dispatch.revoking(leaving))
        for attempt in self._workers.withdraw(lambda job: job.place[:2] in leaving):
            self._fail(attempt, FailedAttempt(Kind.SHUTDOWN, Outage("The partition leaves.", dependency="kafka")))
        await self._wait_drained(leaving)
        offsets: Mapping[Partition, Position] = {}
        for action in self.dispatch.revoked(leaving, now=self._clock.now(), jitter=self._random()):
            if isinstance(action, Commit):
                offsets = action.offsets  # it travels inside the callback, while the partitions are still ours
            else:
                self._do(action)
        event.done(offsets)
        self._watch_outage()
        self._hooks(seen.Rebalanced(group=self.group.name, revoked=leaving))

    async def _wait_drained(self, leaving: frozenset[Partition]) -> None:
        self._is_draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self.group.drain.total_seconds()):
                while not self.dispatch.is_drained(leaving):
                    self._progress.clear()
                    await self._progress.wait()
        self._is_draining = False

    def _lose(self, partitions: frozenset[Partition]) -> None:
        self._obey(self.dispatch.lost(partitions, now=self._clock.now(), jitter=self._random()))
        self._watch_outage()
        self._hooks(seen.Rebalanced(group=self.group.name, lost=partitions))

    # -- what became of records

    def _ended(self, attempt: Attempt, became: object) -> None:
        if isinstance(became, asyncio.CancelledError) and not attempt.is_overdue and self._has_left(attempt):
            return  # cancelled because its partition is not ours any more
        place, epoch = attempt.place, attempt.epoch
        ended = self._attempts.ended(attempt, became)
        if ended is Outcome.HANDLED or ended is Outcome.DUPLICATE:
            self._obey(self.dispatch.handled(place, epoch))
        elif isinstance(ended, Skipped):
            self._obey(self.dispatch.skipped(place, epoch, ended.reason))
        else:
            self._told[place] = ended.told
            self._fail(attempt, FailedAttempt(classify(ended.error, self._rules), ended.error, ended.on_failure))
        if self._is_draining or self._outage is not self.dispatch.outage:
            self._went_on()

    def _has_left(self, attempt: Attempt) -> bool:
        assignment = self.dispatch.assignments.get(attempt.place[:2])
        return assignment is None or assignment.epoch != attempt.epoch

    def _fail(self, attempt: Attempt, failed: FailedAttempt) -> None:
        if not self.group.has_retry_topics:
            failed = FailedAttempt(failed.kind, failed.error, "block")
        jitter, now = self._random(), self._clock.now()
        for action in self.dispatch.failed(attempt.place, attempt.epoch, failed, now=now, jitter=jitter):
            if isinstance(action, Wait) and failed.kind is not Kind.STALLED:
                self._tell_retry(attempt.place, attempt.number + 1, None)
            self._do(action)

    def _copied(self, action: Copy | DeadLetter, answer: Answer) -> None:
        place, epoch = action.place, action.epoch
        if answer is Answer.COPIED:
            self._tell_copy(action)
            self._obey(self.dispatch.copied(place, epoch))
        elif answer is Answer.REFUSED:
            self._obey(self.dispatch.copy_refused(place, epoch))
        else:
            self._obey(self.dispatch.copy_failed(place, epoch, now=self._clock.now(), jitter=self._random()))
        self._went_on()

    def _due(self, place: Place, epoch: int) -> None:
        self._obey(self.dispatch.due(place, epoch, self._clock.now()))

    def _tick(self) -> None:
        now = self._clock.now()
        for attempt in self._workers.jobs():
            if attempt.deadline is not None and attempt.deadline <= now:
                attempt.is_overdue = True
        self._workers.cancel(lambda attempt: attempt.is_overdue)
        self._obey(self.dispatch.tick())
        self._stop_ticking = self._clock.call_at(now + _TICK, self._tick)

    def _went_on(self) -> None:
        if self._is_draining:
            self._progress.set()
        if self._outage is not self.dispatch.outage:
            self._watch_outage()

    # -- obeying

    def _obey(self, actions: Iterable[Action]) -> None:
        for action in actions:
            # The two that come with every record, without a further call.
            if type(action) is Handle:
                self._handle(action)
            elif type(action) is not Complete or self._told:
                self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case Handle():
                self._handle(action)
            case Complete():
                self._told.pop(action.place, None)
            case Wait():
                self._clock.call_at(action.until, lambda: self._due(action.place, action.epoch))
            case Probe():
                self._clock.call_at(action.at, lambda: self._due(action.place, action.epoch))
            case Copy() | DeadLetter():
                self._copy(action)
            case Commit():
                self._commit(action.offsets)
            case _:
                self._do_to_partition(action)

    def _do_to_partition(self, action: Action) -> None:
        match action:
            case Pause() if self._source is not None:
                self._source.pause(action.partitions)
            case Resume() if self._source is not None:
                self._source.resume(action.partitions)
            case Skip():
                place = action.place
                self._hooks(seen.Skipped(group=self.group.name, topic=place.topic, place=place, reason=action.reason))
            case Drop():
                self._drop(action)

    def _handle(self, action: Handle) -> None:
        if action.record is not None:
            self._workers.submit(Attempt(action.place, action.epoch, action.attempt, action.record))

    def _copy(self, action: Copy | DeadLetter) -> None:
        record = self.dispatch.record(action.place, action.epoch)
        if record is not None:
            if action.place not in self._told:
                self._told[action.place] = Told(failure=describe(_at_arrival(action, record)))
            self._copies.send(action, record, self._told[action.place])

    def _drop(self, action: Drop) -> None:
        partition = action.partition
        self._workers.cancel(lambda attempt: attempt.place[:2] == partition and attempt.epoch <= action.epoch)
        if partition not in self.dispatch.assignments:
            for place in [place for place in self._told if place[:2] == partition]:
                del self._told[place]

    def _commit(self, offsets: Mapping[Partition, Position]) -> None:
        if self._committing is None:  # else the next tick says more
            self._committing = asyncio.get_running_loop().create_task(self._commit_now(offsets))

    async def _commit_now(self, offsets: Mapping[Partition, Position]) -> None:
        try:
            if self._source is not None:
                await self._source.commit(offsets)
        except TreatyError:
            return  # the next tick tries again; until then the records would only be seen once more
        finally:
            self._committing = None
        self.dispatch.committed(offsets)
        taken = {partition: position.offset for partition, position in offsets.items()}
        self._hooks(seen.Committed(group=self.group.name, offsets=taken))

    # -- telling

    def _tell_retry(self, place: Place, attempt: int, topic: str | None) -> None:
        told = self._told.get(place)
        if self._hooks and told is not None:
            error_type, name = told.failure.error_class, self.group.name
            self._hooks(
                seen.Retried(
                    group=name,
                    topic=place.topic,
                    place=place,
                    attempt=attempt,
                    error_type=error_type,
                    retry_topic=topic,
                )
            )

    def _tell_copy(self, action: Copy | DeadLetter) -> None:
        if isinstance(action, Copy):
            self._tell_retry(action.place, action.attempt, action.topic)
            return
        told = self._told.get(action.place)
        if self._hooks and told is not None:
            self._hooks(
                seen.DeadLettered(
                    group=self.group.name,
                    topic=action.place.topic,
                    place=action.place,
                    dead_letter_topic=self.group.dead_letter,
                    error_type=told.failure.error_class,
                    reason=action.reason,
                    fingerprint=told.failure.fingerprint(group=self.group.name, event_type=told.event_type),
                )
            )

    def _watch_outage(self) -> None:
        before, now = self._outage, self.dispatch.outage
        if before is now:
            return
        self._outage = now
        if before is not None:
            seconds = (self._clock.now() - before.since).total_seconds()
            self._hooks(seen.Recovered(group=self.group.name, dependency=before.dependency, seconds=seconds))
        if now is not None:
            self._hooks(seen.OutageBegan(group=self.group.name, dependency=now.dependency, error=now.dependency))


def _at_arrival(action: Copy | DeadLetter, record: Record) -> Exception:
    """Why a record is dead-lettered that no handler ever saw."""
    if isinstance(action, DeadLetter) and action.reason == "oversize":
        return Oversize(f"The value has {len(record.value or b'')} bytes, more than `max_record_bytes`.")
    return Poison("A tombstone has no event in it.")
