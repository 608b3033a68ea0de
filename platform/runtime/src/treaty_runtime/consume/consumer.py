"""One member of a consumer group: obeys the dispatch and tells it what happened. No decision is made here.

Everything runs on one event loop; the transport's thread only fetches. Handlers run in workers, each in a transaction.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

from treaty_runtime import hooks as seen
from treaty_runtime.classify import Kind, classify
from treaty_runtime.clock import Clock, SystemClock
from treaty_runtime.consume import actions as to
from treaty_runtime.consume.actions import Action, Complete, Copy, DeadLetter, Handle
from treaty_runtime.consume.attempt import Attempt, Attempts, Failed, Gathered, Skipped
from treaty_runtime.consume.batches import Batches, BatchJob
from treaty_runtime.consume.commits import Commits
from treaty_runtime.consume.copies import Answer, Copies, Told, failure_at_arrival
from treaty_runtime.consume.dispatch import Dispatch
from treaty_runtime.consume.facts import FailedAttempt
from treaty_runtime.consume.holder import Holder
from treaty_runtime.consume.overdue import Overdue
from treaty_runtime.consume.reader import Reader
from treaty_runtime.consume.telling import Telling
from treaty_runtime.consume.trial import Trial
from treaty_runtime.consume.workers import Workers
from treaty_runtime.errors import InvalidSettings, Outage
from treaty_runtime.event import Effects, Outcome, Partition, Place, Record
from treaty_runtime.handlers import Group
from treaty_runtime.held import HeldRecords
from treaty_runtime.hooks import Hooks
from treaty_runtime.spans import Spans
from treaty_runtime.transport import Assigned, Broken, Lost, Position, Producer, Records, Revoking, Source
from treaty_runtime.wire.failure import describe

_TICK, _RECONNECT_SECONDS = timedelta(seconds=1), 1.0


class Consumer:
    """Runs a group's handlers on what a source brings, until stopped.

    ``connect`` makes a new member of the group; it is called again when a client broke for good. ``producer`` carries retries and
    dead letters. ``random`` answers in [0, 1). ``trial`` is shared by the consumers of a process. ``spans`` traces handlers.
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
        held: HeldRecords | None = None,
        hooks: Hooks | None = None,
        clock: Clock | None = None,
        trial: Trial | None = None,
        spans: Spans | None = None,
    ) -> None:
        if effects is None and group.database_needs:
            raise InvalidSettings(group.database_needs)
        self.group = group
        self._connect, self._reader, self._random, self._spans = connect, reader, random, spans
        self._hooks, self._clock = hooks or Hooks(), clock if clock is not None else SystemClock()
        self._rules = group.every_rule
        self.dispatch = Dispatch(
            group=group.name, policy=group.retry, limits=group.limits, trial=trial, held_at_once=0 if held is None else group.workers
        )  # fmt: skip
        self._holder = self._make_holder(held)
        self._batches = self._make_batches(effects)
        self._attempts = self._make_attempts(effects)
        self._workers: Workers[Attempt | BatchJob, object] = Workers(group.workers, self._begin, self._ended)
        self._copies = Copies(producer, group=group, report=self._copied)
        self._told: dict[Place, Told] = {}
        self.telling = Telling(self._hooks, group=group, clock=self._clock, told=self._told)
        self._source: Source | None = None
        self._commits = Commits(self._send_commit, taken=self._committed, failed=self.telling.not_committed)
        self._stop_ticking: Callable[[], None] = lambda: None
        self._overdue, self._progress = Overdue(_TICK), asyncio.Event()
        self._is_stopping = self._is_draining = False

    def _make_batches(self, effects: Effects | None) -> Batches:
        return Batches(
            effects,
            group=self.group,
            rules=self._rules,
            clock=self._clock,
            submit=lambda job: self._workers.submit(job),  # noqa: PLW0108  # the pool is made after
            releasing=self._holder.releasing,
            topic_of=self._reader.topic_of,
            spans=self._spans,
        )

    def _make_attempts(self, effects: Effects | None) -> Attempts:
        return Attempts(
            self._reader,
            effects,
            group=self.group.name,
            clock=self._clock,
            hooks=self._hooks,
            is_gathered=self._batches.chooser,
            releasing=self._holder.releasing,
            spans=self._spans,
        )

    def _make_holder(self, held: HeldRecords | None) -> Holder:
        return Holder(
            held,
            group=self.group,
            reader=self._reader,
            clock=self._clock,
            random=self._random,
            dispatch=self.dispatch,
            obey=self._obey_and_go_on,
            tell=lambda hold: self.telling.held(hold),  # noqa: PLW0108  # made after
        )

    async def run(self) -> None:
        """Joins the group and works until ``stop``. A broken client is replaced."""
        self._tick()
        try:
            while not self._is_stopping:
                self._source = self._connect()
                try:
                    await self._follow(self._source)
                except InvalidSettings:
                    if not self.telling.is_reconnecting:
                        raise  # else a file that they name is just being exchanged
                if not self._is_stopping:
                    self._lose(frozenset(each.partition for each in self.dispatch.assignments.values()))
                    await asyncio.sleep(_RECONNECT_SECONDS)
        finally:
            self._stop_ticking()
            self._holder.spare(self.dispatch.holding.begun(self.dispatch.assignments))
            await self._workers.close()
            await self._holder.close()

    async def stop(self) -> None:
        """Leaves the group in good order: handlers get their time, what is done is committed, the rest is cancelled."""
        self._is_stopping = True
        if self._source is not None:
            await self._source.close()

    @property
    def is_idle(self) -> bool:
        """Whether no handler runs and no commit is under way; waits for a later time do not count."""
        return self._workers.is_idle and self._commits.is_idle and self._holder.is_idle

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
                    self.telling.joined(event.partitions)
                    self._obey(self.dispatch.assigned(event.partitions, event.committed))
                    self._hooks(seen.Rebalanced(group=self.group.name, assigned=event.partitions))
                case Revoking():
                    await self._drain(event)
                case Lost():
                    self._lose(event.partitions)
                case Broken():
                    self.telling.broke(event.fault)
                    return
                case _:
                    self.telling.hindered(event)

    def _receive(self, records: Sequence[Record]) -> None:
        now, arrival, arrived = self._clock.now(), self._reader.arrival, self.dispatch.arrived
        submit = self._workers.submit
        for record in records:
            for action in arrived(record.place, arrival(record), now):
                if type(action) is Handle:  # nearly always, and never of a held record; without a further call
                    submit(Attempt(action.place, action.epoch, action.attempt, action.record or record))
                else:
                    self._do(action)
        if self._batches.is_gathering:
            self._go_on_gathering()
        if self.telling.refusals:
            self.telling.may_read({record.place.topic for record in records})
        if self._hooks:
            self._hooks(seen.Received(group=self.group.name, counts=Counter(each.place.topic for each in records)))

    async def _drain(self, event: Revoking) -> None:
        leaving = event.partitions
        self._obey(self.dispatch.revoking(leaving))
        self._batches.flush()
        for job in self._workers.withdraw(lambda job: type(job) is Attempt and job.place[:2] in leaving):
            if type(job) is Attempt:
                self._fail(job, FailedAttempt(Kind.SHUTDOWN, Outage("The partition leaves.", dependency="kafka")))
        await self._wait_drained(leaving)
        self._holder.spare(self.dispatch.holding.begun(leaving))
        offsets: Mapping[Partition, Position] = {}
        for action in self.dispatch.revoked(leaving, now=self._clock.now(), jitter=self._random()):
            if isinstance(action, to.Commit):
                offsets = action.offsets  # it travels inside the callback, while the partitions are still ours
            else:
                self._do(action)
        event.done(offsets)
        self.telling.watch(self.dispatch)
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
        self._holder.spare(self.dispatch.holding.begun(partitions))
        self._obey(self.dispatch.lost(partitions, now=self._clock.now(), jitter=self._random()))
        self.telling.watch(self.dispatch)
        self._hooks(seen.Rebalanced(group=self.group.name, lost=partitions))

    # -- what became of records

    def _begin(self, job: Attempt | BatchJob) -> Awaitable[object]:
        return self._batches.begin(job) if isinstance(job, BatchJob) else self._attempts.begin(job)

    def _ended(self, job: Attempt | BatchJob, became: object) -> None:
        if became is None and type(job) is Attempt and not self._hooks.are_heard:  # most of them, with few calls
            self._obey(self.dispatch.handled(job.place, job.epoch))
            if self._is_draining or self.telling.is_alert:
                self._went_on()
        elif type(job) is Attempt:
            if became is Gathered.GATHERED:
                self._batches.gather(job)
            else:
                self._settle(job, became)
        elif isinstance(job, BatchJob):
            self._batch_ended(job, became)
        if self._batches.is_gathering:
            self._go_on_gathering()

    def _go_on_gathering(self) -> None:
        if not self._workers.has_ready:
            self._batches.nothing_else_is_ready(is_blocked=self.dispatch.is_blocked)

    def _batch_ended(self, job: BatchJob, became: object) -> None:
        if isinstance(became, asyncio.CancelledError) and not job.is_overdue and any(map(self._has_left, job.attempts)):
            self._batches.again(each for each in job.attempts if not self._has_left(each))
            return
        for attempt, of_it in self._batches.ended(job, became):
            self._settle(attempt, of_it)

    def _settle(self, attempt: Attempt, became: object) -> None:
        if isinstance(became, asyncio.CancelledError) and not attempt.is_overdue and self._has_left(attempt):
            return  # cancelled because its partition is not ours any more
        place, epoch = attempt.place, attempt.epoch
        ended = self._attempts.ended(attempt, became)
        if attempt.is_held and not isinstance(ended, Failed) and ended is not Outcome.HANDLED:
            self._obey(self.dispatch.holding.done(place, epoch))
        elif ended is Outcome.HANDLED or ended is Outcome.DUPLICATE:
            self._obey(self.dispatch.handled(place, epoch))
        elif isinstance(ended, Skipped):
            self._obey(self.dispatch.skipped(place, epoch, ended.reason))
        else:
            self._told[place], kind = ended.told, classify(ended.error, self._rules)
            if attempt.is_held and kind is not Kind.CONFLICT:  # which runs again at once
                self._holder.spare([place])
            self._fail(attempt, FailedAttempt(kind, ended.error, ended.on_failure))
            self._went_on()
            return
        if self._is_draining or self.telling.is_alert:
            self._went_on()

    def _has_left(self, attempt: Attempt) -> bool:
        assignment = self.dispatch.assignments.get(attempt.place[:2])
        return assignment is None or assignment.epoch != attempt.epoch

    def _fail(self, attempt: Attempt, failed: FailedAttempt) -> None:
        if not self.group.has_retry_topics and failed.on_failure == "skip":
            failed = FailedAttempt(failed.kind, failed.error, "block")
        jitter, now = self._random(), self._clock.now()
        for action in self.dispatch.failed(attempt.place, attempt.epoch, failed, now=now, jitter=jitter):
            if isinstance(action, to.Wait | to.Hold) and failed.kind is not Kind.STALLED:
                self.telling.retry(attempt.place, attempt=attempt.number + 1, topic=None)
            self._do(action)

    def _copied(self, action: Copy | DeadLetter, answer: Answer) -> None:
        place, epoch = action.place, action.epoch
        if answer is Answer.COPIED:
            self.telling.copied(action)
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
        self._stop_ticking = self._clock.call_at(now + _TICK, self._tick)  # first: whatever breaks below, commits go on
        if self._overdue.mark(self._workers.jobs(), now):
            self._workers.cancel(lambda job: job.is_overdue)
        self._obey(self.dispatch.tick())

    def _went_on(self) -> None:
        if self._is_draining:
            self._progress.set()
        self.telling.watch(self.dispatch)

    # -- obeying

    def _obey_and_go_on(self, actions: Iterable[Action]) -> None:
        self._obey(actions)
        self._went_on()

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
            case to.Wait(until=at) | to.Probe(at=at):
                self._clock.call_at(at, lambda: self._due(action.place, action.epoch))
            case to.Pace():
                paced = partial(self.dispatch.paced, action.place, action.epoch)
                self._clock.call_at(self._clock.now() + action.pause, lambda: self._obey(paced()))
            case Copy() | DeadLetter():
                self._copy(action)
            case to.Hold() | to.Fetch() | to.Release() | to.Load():
                self._holder.obey(action)
            case to.Commit():
                self._commits.commit(action.offsets)
            case _:
                self._do_to_partition(action)

    def _do_to_partition(self, action: Action) -> None:
        match action:
            case to.Pause() if self._source is not None:
                self._source.pause(action.partitions)
            case to.Resume() if self._source is not None:
                self._source.resume(action.partitions)
            case to.Skip(place, reason):
                self._hooks(seen.Skipped(group=self.group.name, topic=place.topic, place=place, reason=reason))
            case to.Rewound() if self._source is not None:
                self._source.seek(action.place)
                self._hooks(seen.Rewound(group=self.group.name, place=action.place))
            case to.Drop():
                self._drop(action)

    def _handle(self, action: Handle) -> None:
        if action.record is not None:
            attempt = Attempt(action.place, action.epoch, action.attempt, action.record)
            if self.dispatch.holding.count and self.dispatch.holding.has(action.place):
                attempt.is_held = True
            self._workers.submit(attempt)

    def _copy(self, action: Copy | DeadLetter) -> None:
        record = self.dispatch.record(action.place, action.epoch)
        if record is not None:
            if action.place not in self._told:
                failure = describe(failure_at_arrival(action, record))
                self._told[action.place] = Told(failure=failure, topic=self._reader.topic_of(record))
            self._copies.send(action, record, self._told[action.place])

    def _drop(self, action: to.Drop) -> None:
        partition = action.partition
        withdrawn = self._workers.cancel(lambda job: job.concerns(partition, action.epoch))
        self._batches.forget(partition, action.epoch, withdrawn=withdrawn)
        if partition not in self.dispatch.assignments:
            for place in [place for place in self._told if place[:2] == partition]:
                del self._told[place]

    async def _send_commit(self, offsets: Mapping[Partition, Position]) -> None:
        if self._source is not None:
            await self._source.commit(offsets)

    def _committed(self, offsets: Mapping[Partition, Position]) -> None:
        self._obey(self.dispatch.committed(offsets))
        self._hooks(seen.Committed(group=self.group.name, offsets={each: at.offset for each, at in offsets.items()}))
