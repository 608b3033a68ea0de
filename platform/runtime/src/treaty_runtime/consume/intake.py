"""What is in memory and whether more may come: assignments, their records, and the reasons why a partition is paused."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from treaty_runtime.consume.actions import Action, Copy, DeadLetter, Fetch, Hold, Pause, Release, Resume, Wait
from treaty_runtime.consume.care import Care
from treaty_runtime.consume.facts import Arrival
from treaty_runtime.consume.watermark import Watermark
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.limits import Marks
from treaty_runtime.transport import Position

BACKPRESSURE, MEMORY, NOT_DUE, OUTAGE, LEAVING = "backpressure", "memory", "not due", "outage", "leaving"
LOADING = "loading"


class Work:
    """A record that arrived and is not complete. ``behind``: those of its lane that wait for the end of its turn."""

    # One is made for each record: what is so of nearly all is read from the class.
    pending: Copy | DeadLetter | Hold | Fetch | Release | None = None
    behind: deque[Work] | None = None
    in_flight = is_held = False
    conflicts = stalls = deaths = 0

    def __init__(self, place: Place, assignment: Assignment, arrival: Arrival) -> None:
        self.place, self.assignment = place, assignment
        self.lane, self.size, self.record = arrival.lane, arrival.size, arrival.record
        self.attempt, self.due = arrival.attempt, arrival.due


@dataclass(slots=True, eq=False)
class Assignment:
    """A partition while it is ours. ``later``: records of a retry topic whose time has not come, in order.

    ``held``: what lies in the table, by offset. ``gate``: what arrives before that is known. ``is_watched``: either has something.
    """

    partition: Partition
    epoch: int
    committed: int | None = None
    watermark: Watermark = field(default_factory=Watermark)
    works: dict[int, Work] = field(default_factory=dict)
    later: deque[Work] = field(default_factory=deque)
    pauses: set[str] = field(default_factory=set)
    is_leaving: bool = False
    care: Care[Work] | None = None
    has_mark: bool = False
    held: dict[int, Work] = field(default_factory=dict)
    gate: list[tuple[Place, Arrival]] | None = None
    is_watched: bool = False

    def has(self, offset: int, record: Record | None) -> bool:
        """Whether this very record is in work. Another of the same offset is of another log."""
        work = self.works.get(offset)
        if work is None or work.record is None or record is None:
            return work is not None and work.record is record
        return all(getattr(work.record, name) == getattr(record, name) for name in ("timestamp_ms", "key", "value"))

    def cut(self, offset: int) -> Place:
        """Where to read from, since the log goes on there: until it is lost, and assigned again, nothing of it starts."""
        start = min((offset, *self.works))
        self.is_leaving, self.watermark = True, Watermark()
        self.watermark.arrived(start)  # whoever gets it at this moment begins there too
        return Place(*self.partition, start)


class Intake:
    """The assignments of one group member. A partition is fetched while nothing gives a reason against it."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._high_records, self._high_bytes = marks.high_records, marks.high_bytes  # asked for every record
        self._epochs: dict[Partition, int] = {}
        self._bytes = 0
        self.assignments: dict[tuple[str, int], Assignment] = {}

    def open(self, partition: Partition, *, committed: int | None) -> Assignment:
        """A new assignment, of the next epoch of its partition."""
        epoch = self._epochs[partition] = self._epochs.get(partition, 0) + 1
        assignment = self.assignments[partition] = Assignment(partition, epoch, committed)
        return assignment

    def close(self, assignment: Assignment) -> list[Work]:
        """Forgets an assignment; answers the work that was left."""
        assignment.is_leaving = True
        del self.assignments[assignment.partition]
        left = [*assignment.works.values(), *assignment.held.values()]
        self._bytes -= sum(work.size for work in left)
        return left

    def ours(self, partitions: Iterable[Partition]) -> list[Assignment]:
        """The assignments of those partitions that are still here."""
        return [self.assignments[partition] for partition in partitions if partition in self.assignments]

    def find(self, place: Place, epoch: int) -> Work | None:
        """The unfinished work at a place, if that assignment is still ours."""
        assignment = self.assignments.get(place[:2])
        if assignment is None or assignment.epoch != epoch:
            return None
        return assignment.works.get(place.offset) or assignment.held.get(place.offset)

    def finished(self, place: Place, epoch: int) -> Work | None:
        """The same, which is not in flight any more."""
        work = self.find(place, epoch)
        if work is not None:
            work.in_flight = False
        return work

    def add(self, work: Work) -> bool:
        """Takes a record in; whether a high mark is reached now."""
        works = work.assignment.works
        works[work.place.offset] = work
        self._bytes = in_memory = self._bytes + work.size
        return len(works) >= self._high_records or in_memory >= self._high_bytes

    def remove(self, work: Work) -> None:
        """A record is complete."""
        del work.assignment.works[work.place.offset]
        work.assignment.watermark.completed(work.place.offset)
        self._bytes -= work.size

    def hold_back(self, assignment: Assignment) -> Iterator[Action]:
        """Pauses at the high marks."""
        if len(assignment.works) >= self._marks.high_records:
            yield from self.pause((assignment,), BACKPRESSURE)
        if self._bytes >= self._marks.high_bytes:
            yield from self.pause(self.assignments.values(), MEMORY)

    def let_in(self, assignment: Assignment) -> Iterator[Action]:
        """Resumes at the low marks."""
        if len(assignment.works) <= self._marks.low_records:
            yield from self.resume((assignment,), BACKPRESSURE)
        yield from self.free_memory()

    def free_memory(self) -> Iterator[Action]:
        """Resumes everything once little memory is taken."""
        if self._bytes <= self._marks.low_bytes:
            yield from self.resume(self.assignments.values(), MEMORY)

    def postpone(self, work: Work) -> Iterator[Action]:
        """Keeps a record of a retry topic until its time, and all behind it."""
        assignment = work.assignment
        assignment.later.append(work)
        if len(assignment.later) == 1 and work.due is not None:
            yield from self.pause((assignment,), NOT_DUE)
            yield Wait(work.place, work.due, assignment.epoch)

    def released(self, assignment: Assignment, now: datetime) -> Iterator[Work]:
        """Those whose time has come."""
        later = assignment.later
        while later and (later[0].due is None or later[0].due <= now):
            yield later.popleft()

    def await_next(self, assignment: Assignment) -> Iterator[Action]:
        """Waits for the head that is left, or fetches again."""
        head = assignment.later[0] if assignment.later else None
        if head is not None and head.due is not None:
            yield Wait(head.place, head.due, assignment.epoch)
        else:
            yield from self.resume((assignment,), NOT_DUE)

    @property
    def is_full(self) -> bool:
        """Whether the process holds as many bytes as it may."""
        return self._bytes >= self._marks.high_bytes

    def pause(self, assignments: Iterable[Assignment], why: str) -> Iterator[Action]:
        """Adds a reason; tells the source about partitions that had none."""
        changed = [assignment for assignment in assignments if why not in assignment.pauses]
        fresh = frozenset(assignment.partition for assignment in changed if not assignment.pauses)
        for assignment in changed:
            assignment.pauses.add(why)
        if fresh:
            yield Pause(fresh, why)

    def resume(self, assignments: Iterable[Assignment], why: str) -> Iterator[Action]:
        """Takes a reason away; tells the source about partitions that have none left."""
        changed = [assignment for assignment in assignments if why in assignment.pauses]
        for assignment in changed:
            assignment.pauses.remove(why)
        free = frozenset(assignment.partition for assignment in changed if not assignment.pauses)
        if free:
            yield Resume(free)


def positions(assignments: Iterable[Assignment], *, metadata: str) -> dict[Partition, Position]:
    """Watermarks that are not committed yet."""
    moved: dict[Partition, Position] = {}
    for assignment in assignments:
        offset = assignment.watermark.position
        if offset is not None and offset != assignment.committed:
            moved[assignment.partition] = Position(offset, metadata)
    return moved
