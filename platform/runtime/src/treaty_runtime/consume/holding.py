"""Keys that wait for a failed record, all their later ones in a table behind it (`on_failure="hold_key"`).

Law: a held record runs only as the head of its key. It leaves the topic's order when it is in the table, and the table when its effect
is committed or its dead letter is acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from treaty_runtime.consume.actions import (
    KILLS_PROCESS,
    Action,
    Complete,
    DeadLetter,
    Drop,
    Fetch,
    Hold,
    Load,
    Release,
    Wait,
)
from treaty_runtime.consume.facts import Arrival, HeldFact
from treaty_runtime.consume.intake import LOADING, Assignment, Intake, Work
from treaty_runtime.consume.lanes import Lanes
from treaty_runtime.consume.outage import Probing
from treaty_runtime.consume.turns import Turns
from treaty_runtime.event import Partition, Place, Record


class Holding:
    """Knows what is held of the partitions of one member, and decides about it.

    Where there is a table it is asked always: a former release of the service may have held keys that this one would not. ``start`` lets
    work go on, ``arrived`` is told what waited for the table, ``ease`` lets in what waited for a record less.
    """

    def __init__(
        self,
        intake: Intake,
        lanes: Lanes,
        probing: Probing,
        turns: Turns,
        *,
        quarantine_after: int,
        start: Callable[[Work], Sequence[Action]],
        arrived: Callable[[Place, Arrival, datetime], Sequence[Action]],
        ease: Callable[[Work], Iterable[Action]],
    ) -> None:
        self._intake, self._lanes, self._probing, self._turns = intake, lanes, probing, turns
        self._start, self._arrived, self._ease = start, arrived, ease
        self._quarantine_after = quarantine_after
        self.count = 0
        """Records in the table; asked whenever a record meets another one of its key."""

    @property
    def keys(self) -> int:
        """Keys that wait; a record without a key is one of its own."""
        held = [work for each in self._intake.assignments.values() for work in each.held.values()]
        return len({work.place if work.lane is None else work.lane for work in held})

    # -- facts

    def loaded(self, partition: Partition, epoch: int, rows: Iterable[HeldFact], now: datetime) -> Iterator[Action]:
        """What is held of a partition, in order: now its records may begin."""
        assignment = self._intake.assignments.get(partition)
        if assignment is None or assignment.epoch != epoch or assignment.gate is None:
            return
        for row in rows:
            yield from self._found(assignment, row, now)
        waiting, assignment.gate = assignment.gate, None
        assignment.is_watched = bool(assignment.held)
        yield from self._intake.resume((assignment,), LOADING)
        for place, arrival in waiting:
            yield from self._arrived(place, arrival, now)

    def held(self, place: Place, epoch: int, now: datetime) -> Iterator[Action]:
        """The table has the record, and when its next attempt is. The records behind it follow."""
        work = self._intake.finished(place, epoch)
        if work is None or not isinstance(work.pending, Hold):
            yield Drop(place.of, epoch)
            return
        yield from self._probing.recovered(work)
        hold, is_new = work.pending, not work.is_held
        if is_new:
            self._intake.remove(work)
        self._keep(work, attempt=hold.attempt, due=hold.due)
        if is_new:
            yield Complete(place)
            yield from self._ease(work)
            for each in tuple(work.behind or ()):
                yield from self._follow(each)
        self._turns.end(work)
        if self._lanes.turn(work) is work:
            yield from self._await_time(work, now)
        yield from self._pass_on()

    def not_held(self, place: Place, epoch: int, *, now: datetime, jitter: float) -> Iterator[Action]:
        """The table did not answer: an outage of the database."""
        work = self._intake.finished(place, epoch)
        if work is None:
            yield Drop(place.of, epoch)
        else:
            yield from self._probing.wait_out(work, "database", now=now, jitter=jitter)

    def fetched(self, place: Place, epoch: int, record: Record, begun: int) -> Iterator[Action]:
        """A held record was read and may begin, unless processes died of it: ``begun`` attempts before this one never ended."""
        work = self._intake.finished(place, epoch)
        if work is None:
            yield Drop(place.of, epoch)
            return
        yield from self._probing.recovered(work)
        is_killer = 0 < self._quarantine_after <= begun
        work.record, work.pending = record, DeadLetter(place, KILLS_PROCESS, epoch) if is_killer else None
        yield from self._start(work)

    def done(self, place: Place, epoch: int) -> Iterator[Action]:
        """Its dead letter is acknowledged, or it had its effect before: only its row is left."""
        work = self._intake.finished(place, epoch)
        if work is None:
            yield Drop(place.of, epoch)
            return
        yield from self._probing.recovered(work)
        work.pending = Release(place, epoch)
        yield from self._start(work)

    # -- what the dispatch asks

    def assigned(self, fresh: Iterable[Assignment]) -> Iterator[Action]:
        """Nothing of a partition begins before it is known what is held of it."""
        loading = list(fresh) if self._turns.at_once else []
        for assignment in loading:
            assignment.gate, assignment.is_watched = [], True
        yield from self._intake.pause(loading, LOADING)
        for assignment in loading:
            yield Load(assignment.partition, assignment.epoch)

    def meets(self, assignment: Assignment, place: Place, arrival: Arrival) -> Sequence[Action] | None:
        """A record of a watched partition arrived. None: it is one like any other; else what becomes of it."""
        if assignment.gate is not None:
            assignment.gate.append((place, arrival))
            return ()
        if place.offset not in assignment.held:
            return None
        if assignment.watermark.arrived(place.offset):  # its row was written, but not committed that it was
            assignment.watermark.completed(place.offset)
        return ()

    def hold(self, work: Work, *, attempt: int, due: datetime | None) -> Sequence[Action]:
        """Into the table; a row that is there learns when its next attempt is."""
        work.pending = Hold(work.place, attempt, due, work.assignment.epoch, work.is_held)
        return self._start(work)

    def follow(self, work: Work) -> Sequence[Action]:
        """A record whose key has its turn taken goes into the table too, if the one before it lies there."""
        return self._follow(work) if self._lanes.turn(work).is_held else ()

    def has(self, place: Place) -> bool:
        """Whether the record at the place is in the table."""
        assignment = self._intake.assignments.get(place[:2])
        return assignment is not None and place.offset in assignment.held

    def begun(self, partitions: Iterable[tuple[str, int]]) -> list[Place]:
        """Held records of these partitions whose attempt the table counts as begun."""
        ours = (each for partition in partitions if (each := self._intake.assignments.get(partition)) is not None)
        return [work.place for each in ours for work in each.held.values() if work.record is not None]

    def tick(self) -> Sequence[Action]:
        """The next suspect may begin."""
        suspect = self._turns.suspect()
        return () if suspect is None else self._start(suspect)

    def let_go(self, work: Work) -> Iterator[Action]:
        """The row has gone."""
        assignment = work.assignment
        del assignment.held[work.place.offset]
        assignment.is_watched = bool(assignment.held)
        self.count -= 1
        self._turns.end(work)
        return self._pass_on()

    def forget(self, left: Iterable[Work]) -> Iterator[Action]:
        """Work of partitions that have gone."""
        for work in left:
            if work.is_held:
                self.count -= 1
                self._turns.end(work)
        return self._pass_on()

    # -- rows

    def _found(self, assignment: Assignment, row: HeldFact, now: datetime) -> Sequence[Action]:
        work = Work(Place(*assignment.partition, row.offset), assignment, Arrival(row.lane))
        self._keep(work, attempt=row.attempt, due=row.due)
        work.deaths = row.begun if row.begun < self._quarantine_after else 0  # who is buried unread ends no process
        if row.begun and assignment.care is not None:
            # A process ended while this row ran: the record at the committed offset is not the one that killed it.
            assignment.care.is_quarantining = False
        return self._await_time(work, now) if self._lanes.enter(work) else ()

    def _keep(self, work: Work, *, attempt: int, due: datetime | None) -> None:
        assignment, place = work.assignment, work.place
        self.count += not work.is_held
        assignment.held[place.offset] = work
        work.is_held, work.size, work.record = True, 0, None
        work.attempt, work.due, work.pending = attempt, due, Fetch(place, assignment.epoch)

    def _follow(self, work: Work) -> Sequence[Action]:
        if work.is_held or work.pending is not None or work.assignment.is_leaving:
            return ()
        return self.hold(work, attempt=work.attempt, due=None)

    def _pass_on(self) -> Iterator[Action]:
        for work in self._turns.free():
            yield from self._start(work)

    def _await_time(self, work: Work, now: datetime) -> Sequence[Action]:
        if work.due is not None and work.due > now:
            return (Wait(work.place, work.due, work.assignment.epoch),)
        return self._start(work)
