"""Keeps the care of `care` for every partition of a member: what begins when, and what is committed about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from treaty_runtime.consume.actions import Action, Commit
from treaty_runtime.consume.care import GOOD_END, PROGRESS, Care
from treaty_runtime.consume.intake import Assignment, Intake, Work
from treaty_runtime.consume.trial import Trial
from treaty_runtime.event import Partition
from treaty_runtime.transport import Position


class Caring:
    """``admit`` lets a record take its turn, ``bury`` dead-letters one unread. ``quarantine_after`` 0: no care at all.

    ``trial`` is the process's; whoever waits for another group's turn asks again at the next tick. Nothing is tried while a dependency
    ``is_away``: it would be marked and only wait.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        quarantine_after: int,
        trial: Trial,
        is_away: Callable[[], bool],
        admit: Callable[[Work], Sequence[Action]],
        bury: Callable[[Work], Sequence[Action]],
    ) -> None:
        self._intake, self._admit, self._bury = intake, admit, bury
        self._quarantine_after, self._trial, self._is_away = quarantine_after, trial, is_away
        self.metadata = PROGRESS if quarantine_after else GOOD_END

    def assigned(self, fresh: Iterable[Assignment], known: Mapping[Partition, Position]) -> None:
        """Partitions came, with what was committed for them."""
        if not self._quarantine_after:
            return
        for each in fresh:
            each.care = Care.after(known.get(each.partition), quarantine_after=self._quarantine_after)

    def arrived(self, work: Work, care: Care[Work]) -> Iterator[Action]:
        """A record of a partition under care."""
        if care.is_quarantining:
            care.is_quarantining, care.running = False, work
            yield from self._bury(work)
            return
        care.gate.append(work)
        if care.is_marked or not care.is_asked:
            yield from self._let_through(work.assignment, care)

    def completed(self, work: Work, care: Care[Work]) -> Iterator[Action]:
        """A record of such a partition is complete."""
        is_of_turn = care.running is work
        if is_of_turn:  # not one behind it that was skipped
            care.survived()
            care.running = None
        yield from self._let_through(work.assignment, care)
        if is_of_turn:
            yield from self._pass_on(care)

    def failed(self, work: Work, care: Care[Work]) -> Iterator[Action]:
        """An attempt failed, which killed nobody: that is told at once, as it may be long until the next one."""
        if care.running is not work:
            return
        assignment, was_counted = work.assignment, care.deaths > 0
        care.survived()
        if was_counted and assignment.committed is not None:
            care.has_survived = False
            yield Commit({assignment.partition: Position(assignment.committed, PROGRESS)})
        yield from self._pass_on(care)

    def left(self, leaving: Iterable[Assignment]) -> Iterator[Action]:
        """Partitions have gone, and their turn with them."""
        for each in leaving:
            if each.care is not None:
                yield from self._pass_on(each.care)

    def committed(self, assignment: Assignment, position: Position) -> Iterator[Action]:
        """The broker took a commit; records that waited for it begin."""
        assignment.committed, assignment.has_mark = position.offset, bool(position.metadata)
        if assignment.care is not None:
            assignment.care.took(position)
            yield from self._let_through(assignment, assignment.care)

    def wanted(self, assignments: Iterable[Assignment], *, is_second: bool) -> dict[Partition, Position]:
        """Commits that care waits for, or that tell that nothing was killed. ``is_second``: one more second is over."""
        wanted: dict[Partition, Position] = {}
        for each, care in _by_suspicion(assignments):
            care.ticks += is_second
            if is_second and self._trial.tick(care) and not care.is_marked:
                continue  # its mark was never acknowledged: others ask before it
            position = self._wanted(each, care)
            if position is None and care.has_survived and each.committed is not None:
                care.has_survived, position = False, Position(each.committed, PROGRESS)
            if position is not None:
                care.is_asked, wanted[each.partition] = True, position
        return wanted

    def ends(self, leaving: Iterable[Assignment]) -> dict[Partition, Position]:
        """What a good end commits for partitions that leave."""
        ends: dict[Partition, Position] = {}
        for each in leaving:
            position, offset = None, each.watermark.position
            if each.care is not None:
                position = each.care.end(offset)
            elif each.has_mark and each.committed is not None:
                position = Position(offset if offset is not None else each.committed, GOOD_END)
            if position is not None:
                ends[each.partition] = position
        return ends

    def _let_through(self, assignment: Assignment, care: Care[Work]) -> Iterator[Action]:
        if assignment.is_leaving or care.running is not None:
            return
        wanted = self._wanted(assignment, care)
        if wanted is not None:
            care.is_asked = True
            yield Commit({assignment.partition: wanted})
            return
        for work in care.through():
            yield from self._admit(work)
        if care.is_over:
            assignment.care = None

    def _wanted(self, assignment: Assignment, care: Care[Work]) -> Position | None:
        wanted = care.wanted(committed=assignment.committed, position=assignment.watermark.position)
        if wanted is None or not care.is_suspect:
            return wanted
        return wanted if care.is_calm and not self._is_away() and self._trial.take(care) else None

    def _pass_on(self, care: Care[Work]) -> Iterator[Action]:
        if self._trial.leave(care):
            for assignment, other in _by_suspicion(self._intake.assignments.values()):
                if other.is_suspect:
                    yield from self._let_through(assignment, other)


def _by_suspicion(assignments: Iterable[Assignment]) -> list[tuple[Assignment, Care[Work]]]:
    """Those under care, the most suspected first: what is not at fault is cleared before the next one ends the process."""
    cares = ((each, each.care) for each in assignments if each.care is not None)
    return sorted(cares, key=lambda pair: -pair[1].deaths)
