"""The decisions of a consumer: facts go in, actions come out. No clock, no thread, no I/O.

Rule 1. One record of a lane is in work at a time; the others of its key wait behind it.
Rule 2. A record is completed after its effect is committed or the broker acknowledged its copy, never before.
Rule 3. What is committed is the watermark: nothing below it is unfinished.
Rule 4. A result that belongs to an older assignment of its partition changes nothing.
Rule 5. In an outage one record probes, all others wait, and no attempt is counted.
Rule 6. What is in the table of held records is complete on its topic, and runs as the head of its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from treaty_runtime.classify import Kind
from treaty_runtime.consume.actions import (
    KILLS_PROCESS,
    Action,
    Commit,
    Complete,
    Copy,
    DeadLetter,
    Drop,
    Handle,
    Hold,
    Rewound,
    Skip,
)
from treaty_runtime.consume.care import GOOD_END
from treaty_runtime.consume.caring import Caring
from treaty_runtime.consume.facts import Arrival, FailedAttempt
from treaty_runtime.consume.holding import Holding
from treaty_runtime.consume.intake import LEAVING, MEMORY, OUTAGE, Assignment, Intake, Work, positions
from treaty_runtime.consume.lanes import Lanes
from treaty_runtime.consume.outage import Away, Probing, dependency_of
from treaty_runtime.consume.throttle import Throttle
from treaty_runtime.consume.trial import Trial
from treaty_runtime.consume.turns import Turns
from treaty_runtime.consume.verdicts import Verdicts
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.limits import Limits
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.transport import Position


class Dispatch:
    """The state of one group member and every decision about it.

    Methods take facts with ``now`` (aware) and ``jitter`` in [0, 1) and answer actions; obey them in order, to the end.
    """

    # What happens to every record (arrived, handled) answers sequences and makes few calls: generators and calls cost more than the
    # decision itself.

    def __init__(
        self,
        *,
        group: str,
        policy: RetryPolicy,
        limits: Limits | None = None,
        held_at_once: int = 0,
        trial: Trial | None = None,
    ) -> None:
        self._limits, trial, self._completions = limits or Limits(), trial or Trial(), 0
        self._intake, self._lanes, self._turns = Intake(self._limits.marks), Lanes(), Turns(trial, at_once=held_at_once)
        self._throttle = Throttle(after=policy.throttle_after, pause=policy.throttle_pause)
        self._caring = Caring(
            self._intake,
            quarantine_after=self._limits.quarantine_after,
            trial=trial,
            is_away=lambda: self._probing.away is not None,
            admit=self._admit,
            bury=self._bury,
        )
        self._probing = Probing(self._intake, limits=self._limits, start=self._start, may_go=self._turns.take)
        self.holding = Holding(
            self._intake,
            self._lanes,
            self._probing,
            self._turns,
            quarantine_after=self._limits.quarantine_after,
            start=self._start,
            arrived=self.arrived,
            ease=self._ease,
        )
        """Takes the facts about records in the table."""
        self._verdicts = Verdicts(
            group,
            policy=policy,
            limits=self._limits,
            throttle=self._throttle,
            holding=self.holding,
            start=self._start,
        )

    # -- what arrives

    def arrived(self, place: Place, arrival: Arrival, now: datetime) -> Sequence[Action]:
        """A record was fetched."""
        intake = self._intake
        assignment = intake.assignments.get(place[:2])
        if assignment is None or assignment.is_leaving:
            return ()  # its next owner reads it
        if assignment.is_watched and (met := self.holding.meets(assignment, place, arrival)) is not None:
            return met
        if not assignment.watermark.arrived(place.offset):
            return self._rewound(assignment, place, arrival.record)
        work = Work(place, assignment, arrival)
        is_at_mark = intake.add(work)
        if arrival.skip is not None:
            actions: Sequence[Action] = (Skip(place, arrival.skip), *self._complete(work))
        elif arrival.poison is not None:
            actions = self._send(work, DeadLetter(place, arrival.poison, assignment.epoch))  # it needs no turn
        elif assignment.later or (work.due is not None and work.due > now):
            actions = list(self._intake.postpone(work))
        elif assignment.care is not None:
            actions = list(self._caring.arrived(work, assignment.care))
        elif not self._lanes.enter(work):
            actions = self.holding.follow(work) if self.holding.count else ()
        else:
            is_free = self._probing.away is None and not self._throttle.failures
            actions = (self._begin(work),) if is_free else self._start(work)
        return (*actions, *intake.hold_back(assignment)) if is_at_mark else actions

    def _rewound(self, assignment: Assignment, place: Place, record: Record | None) -> Sequence[Action]:
        """The log goes on before its end: its topic was made anew, or its brokers lost records. What is unfinished is read again too."""
        if assignment.has(place.offset, record):
            return ()  # fetched once more, and already in work
        return (Rewound(assignment.cut(place.offset)),)

    def due(self, place: Place, epoch: int, now: datetime) -> Iterator[Action]:
        """The time of a Wait or Probe came."""
        work = self._intake.find(place, epoch)
        if work is None or work.assignment.is_leaving:
            return
        if self._probing.away is not None and self._probing.away.probe is work:
            yield self._begin(work)
        elif work.assignment.later and work.assignment.later[0] is work:
            for released in self._intake.released(work.assignment, now):
                care = work.assignment.care
                yield from self._admit(released) if care is None else self._caring.arrived(released, care)
            yield from self._intake.await_next(work.assignment)
        else:
            yield from self._start(work)

    def paced(self, place: Place, epoch: int) -> Sequence[Action]:
        """The pause of a Pace is over."""
        work = self._intake.find(place, epoch)
        if work is None or (following := self._throttle.paced(work)) is None:
            return ()
        if self._probing.away is not None or work.assignment.is_leaving:
            return (*self._start(work), *following)
        return (self._begin(work), *following)

    # -- results

    def handled(self, place: Place, epoch: int) -> Sequence[Action]:
        """The handler's effect is committed, or the inbox knew the event."""
        assignment = self._intake.assignments.get(place[:2])
        work = assignment.works.get(place.offset) if assignment is not None and assignment.epoch == epoch else None
        if work is None:
            return self._held_is_handled(place, epoch)
        if self._probing.away is not None:
            return (*self._probing.recovered(work), *self._succeeded(work), *self._complete(work))
        return (*self._succeeded(work), *self._complete(work)) if self._throttle.failures else self._complete(work)

    def skipped(self, place: Place, epoch: int, reason: str) -> Iterator[Action]:
        """Only after its schema was known it turned out that nobody handles the record."""
        work = self._intake.find(place, epoch)
        if work is None:
            yield Drop(place.of, epoch)
            return
        yield Skip(place, reason)
        yield from self._probing.recovered(work)
        yield from self._complete(work)  # no success that would end the throttle: no handler ran

    def failed(
        self, place: Place, epoch: int, failed: FailedAttempt, *, now: datetime, jitter: float
    ) -> Iterator[Action]:
        """The attempt failed."""
        work = self._intake.finished(place, epoch)
        if work is None:
            yield Drop(place.of, epoch)
            return
        if failed.kind is Kind.OUTAGE:
            self._turns.survived(work)
            yield from self._probing.wait_out(work, dependency_of(failed.error), now=now, jitter=jitter)
        elif failed.kind is not Kind.SHUTDOWN:
            yield from self._probing.recovered(work)
            yield from self._verdicts.judge(work, failed, now=now, jitter=jitter)
        if work.assignment.care is not None and failed.kind is not Kind.SHUTDOWN:
            yield from self._caring.failed(work, work.assignment.care)

    def copied(self, place: Place, epoch: int) -> Iterator[Action]:
        """The broker acknowledged the copy. After a crash before this the record is seen again rather than lost."""
        work = self._intake.find(place, epoch)
        if work is not None and work.is_held:
            yield from self.holding.done(place, epoch)
        else:
            yield from self.handled(place, epoch)

    def copy_refused(self, place: Place, epoch: int) -> Sequence[Action]:
        """The broker will never take this copy, as it is too large: a dead letter that only points at the record follows."""
        work = self._intake.finished(place, epoch)
        if work is None:
            return (Drop(place.of, epoch),)
        return (*self._probing.recovered(work), *self._send(work, DeadLetter(place, "oversize", epoch)))

    def copy_failed(self, place: Place, epoch: int, *, now: datetime, jitter: float) -> Iterator[Action]:
        """The broker did not take the copy: an outage of Kafka; the copy itself is tried again, never skipped."""
        work = self._intake.finished(place, epoch)
        if work is None:
            yield Drop(place.of, epoch)
        else:
            yield from self._probing.wait_out(work, "kafka", now=now, jitter=jitter)

    # -- partitions

    def assigned(
        self, partitions: Iterable[Partition], committed: Mapping[Partition, Position] | None = None
    ) -> Iterator[Action]:
        """Partitions came, with what the group committed for them. Each assignment has a new epoch."""
        known = committed or {}
        fresh = [
            self._intake.open(partition, committed=known[partition].offset if partition in known else None)
            for partition in partitions
            if partition not in self._intake.assignments
        ]
        self._caring.assigned(fresh, known)
        yield from self.holding.assigned(fresh)
        if self._probing.away is not None:
            yield from self._intake.pause(fresh, OUTAGE)
        elif self._intake.is_full:
            yield from self._intake.pause(fresh, MEMORY)

    def revoking(self, partitions: Iterable[Partition]) -> Iterator[Action]:
        """Partitions leave in good order: nothing of them starts any more; wait for ``is_drained``, then call ``revoked``."""
        leaving = self._intake.ours(partitions)
        for assignment in leaving:
            assignment.is_leaving = True
        yield from self._intake.pause(leaving, LEAVING)

    def is_drained(self, partitions: Iterable[Partition]) -> bool:
        """Whether no handler and no copy of these partitions is under way."""
        ours = self._intake.ours(partitions)
        return not any(work.in_flight for each in ours for work in (*each.works.values(), *each.held.values()))

    def revoked(self, partitions: Iterable[Partition], *, now: datetime, jitter: float) -> Iterator[Action]:
        """Their work is drained, or its time is over: commit what is done, drop the rest."""
        leaving = self._intake.ours(partitions)
        offsets = positions(leaving, metadata=GOOD_END) | self._caring.ends(leaving)
        if offsets:
            yield Commit(offsets)
        yield from self._forget(leaving, now, jitter)

    def lost(self, partitions: Iterable[Partition], *, now: datetime, jitter: float) -> Iterator[Action]:
        """Partitions already belong to others: nothing of them is committed."""
        yield from self._forget(self._intake.ours(partitions), now, jitter)

    def tick(self, *, is_second: bool = True) -> Iterator[Action]:
        """About once a second, and after so many completions: commit where the watermark moved."""
        self._completions = 0
        if is_second:
            self._turns.tick()
        staying = [each for each in self._intake.assignments.values() if not each.is_leaving]
        offsets = positions(staying, metadata=self._caring.metadata) | self._caring.wanted(staying, is_second=is_second)
        if offsets:
            yield Commit(offsets)
        yield from self.holding.tick()

    def committed(self, offsets: Mapping[Partition, Position]) -> Sequence[Action]:
        """The broker took a Commit; records that waited for it begin."""
        actions: list[Action] = []
        for assignment in self._intake.ours(offsets):
            actions += self._caring.committed(assignment, offsets[assignment.partition])
        return actions

    # -- what may be seen

    def record(self, place: Place, epoch: int) -> Record | None:
        """The record of unfinished work that is still ours."""
        work = self._intake.find(place, epoch)
        return None if work is None else work.record

    @property
    def assignments(self) -> Mapping[tuple[str, int], Assignment]:
        """What is ours, leaving ones too."""
        return self._intake.assignments

    @property
    def outage(self) -> Away | None:
        """The dependency that is away."""
        return self._probing.away

    @property
    def lanes(self) -> int:
        """Keys with work."""
        return len(self._lanes)

    @property
    def is_throttled(self) -> bool:
        """Whether records run one by one, as too many failed in a row."""
        return self._throttle.is_on

    @property
    def is_blocked(self) -> bool:
        """Whether records wait for the turn of their lane, or for the care of their partition."""
        cares = (each.care for each in self._intake.assignments.values())
        return self._lanes.waiting > self.holding.count or any(
            care is not None and care.gate and (care.running is not None or care.is_suspect) for care in cares
        )

    # -- lanes

    def _admit(self, work: Work) -> Sequence[Action]:
        if self._lanes.enter(work):
            return self._start(work)
        return self.holding.follow(work) if self.holding.count else ()

    def _start(self, work: Work) -> Sequence[Action]:
        if self._probing.away is not None:
            self._probing.away.parked.append(work)
            return ()
        if work.assignment.is_leaving or (work.is_held and not self._turns.take(work)):
            return ()
        return self._throttle.hold(work) if self._throttle.is_on and work.pending is None else (self._begin(work),)

    def _succeeded(self, work: Work) -> Iterator[Action]:
        """Ends the throttle, unless it was only a copy that succeeded."""
        if work.pending is None:
            for held in self._throttle.succeeded():
                yield from self._start(held)

    def _begin(self, work: Work) -> Action:
        work.in_flight = True
        return work.pending or Handle(work.place, work.attempt, work.assignment.epoch, work.record)

    def _send(self, work: Work, copy: Copy | DeadLetter) -> Sequence[Action]:
        work.pending = copy
        return self._start(work)

    def _bury(self, work: Work) -> Sequence[Action]:
        return self._send(work, DeadLetter(work.place, KILLS_PROCESS, work.assignment.epoch))

    def _complete(self, work: Work) -> Sequence[Action]:
        self._intake.remove(work)
        actions: list[Action] = [Complete(work.place)]
        successor = self._lanes.leave(work)
        if successor is not None:
            actions += self._next(successor)
        assignment = work.assignment
        if assignment.care is not None or assignment.pauses:
            actions += self._ease(work)
        self._completions += 1
        if self._completions >= self._limits.commit_every:
            actions += self.tick(is_second=False)
        return actions

    def _ease(self, work: Work) -> Iterator[Action]:
        """One record less: what waited for that goes on."""
        assignment = work.assignment
        if assignment.care is not None:
            yield from self._caring.completed(work, assignment.care)
        if assignment.pauses:
            yield from self._intake.let_in(assignment)

    def _held_is_handled(self, place: Place, epoch: int) -> Sequence[Action]:
        work = self._intake.finished(place, epoch)
        if work is None:
            return (Drop(place.of, epoch),)
        ended = (*self._probing.recovered(work), *self._succeeded(work))
        return (*ended, Complete(place), *self.holding.let_go(work), *self._advance(work))  # others waited longer

    def _advance(self, work: Work) -> Sequence[Action]:
        """Gives the turn of a lane to the next record that is still ours."""
        successor = self._lanes.leave(work)
        return () if successor is None else self._next(successor)

    def _next(self, work: Work) -> Sequence[Action]:
        # One on its way into the table goes on when it is there.
        return () if type(work.pending) is Hold else self._start(work)

    # -- leaving

    def _forget(self, leaving: list[Assignment], now: datetime, jitter: float) -> Iterator[Action]:
        left: list[Work] = []
        for assignment in leaving:
            left += self._intake.close(assignment)
            yield Drop(assignment.partition, assignment.epoch)
        yield from self._caring.left(leaving)
        freed = self.holding.forget(left)
        for work in left:
            yield from self._advance(work)
        yield from freed
        yield from self._throttle.forget_leaving()
        yield from self._probing.reelect(now, jitter)
        yield from self._intake.free_memory()
