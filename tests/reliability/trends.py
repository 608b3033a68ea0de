"""What an hour does to processes that only work: memory, descriptors, rows that wait and the time of answers, judged from looks at them.

Laws: a trend is the median of what changes from each sixth of the time to the next, so that one step or one peak is none. Answers
are compared with those of a plain server that was asked in turns: a machine that others make slow is not the company's doing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import NamedTuple, TypeVar

TEN_MINUTES = 600.0
STRETCHES = 6
MEGABYTE = 1 << 20
ALLOWED_MEMORY = 1 * MEGABYTE
ALLOWED_DESCRIPTORS = 1.0
"""In ten minutes, as `ALLOWED_MEMORY`."""
FEW_ROWS, STRETCH_SECONDS = 20, 60.0
"""An outbox may hold any number of rows for a moment, but not more than a few all through such a stretch."""
ALLOWED_DRIFT = 0.2
PLAIN = "plain"
"""The kind of the answers that the others are compared with."""
SLOWEST = 0.99


class Size(NamedTuple):
    """What a process had at a moment, in seconds of the run."""

    at: float
    resident_bytes: int
    descriptors: int


class Rows(NamedTuple):
    """How many rows waited in an outbox at a moment."""

    at: float
    waiting: int


class Answer(NamedTuple):
    """How long an answer took, in seconds, to what was asked at a moment."""

    at: float
    seconds: float


Moment = TypeVar("Moment", Size, Rows, Answer)


@dataclass(slots=True)
class Looks:
    """Everything that was seen, in order of time: sizes by process, rows by service, answers by kind."""

    sizes: dict[str, list[Size]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, list[Rows]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))

    def since(self, moment: float) -> Looks:
        """Without what was seen before, while caches filled and pools grew."""
        return Looks(_since(self.sizes, moment), _since(self.rows, moment), _since(self.answers, moment))


def faults(looks: Looks, *, stores: Collection[str] = ()) -> list[str]:
    """What grew that may not, a sentence each. ``stores``: processes that are there to hold data; their memory may grow with it."""
    return [*_sizes(looks, stores), *_outboxes(looks), *_answers(looks)]


def in_ten_minutes(points: Iterable[tuple[float, float]]) -> float:
    """How much a value changes in ten minutes, by (seconds, value) in order of time; 0 without two stretches that hold some."""
    found = list(points)
    if not found or not (stretch := (found[-1][0] - found[0][0]) / STRETCHES):
        return 0.0
    levels: dict[int, list[float]] = defaultdict(list)
    for at, value in found:
        levels[min(int((at - found[0][0]) / stretch), STRETCHES - 1)].append(value)
    changes = [(median(levels[later]) - median(levels[now])) / (later - now) for now, later in pairwise(sorted(levels))]
    return median(changes) / stretch * TEN_MINUTES


def memory_trend(sizes: Sequence[Size]) -> float:
    """Bytes in ten minutes."""
    return in_ten_minutes((size.at, size.resident_bytes) for size in sizes)


def descriptor_trend(sizes: Sequence[Size]) -> float:
    """Descriptors in ten minutes."""
    return in_ten_minutes((size.at, size.descriptors) for size in sizes)


def slowest(answers: Sequence[Answer]) -> float:
    """The time that 99 of 100 answers keep within, in seconds; 0 without answers."""
    ordered = sorted(answer.seconds for answer in answers)
    return ordered[min(int(len(ordered) * SLOWEST), len(ordered) - 1)] if ordered else 0.0


def halves(answers: Sequence[Answer]) -> tuple[float, float]:
    """`slowest` of the first and of the second half of the time."""
    if not answers:
        return 0.0, 0.0
    middle = (answers[0].at + answers[-1].at) / 2
    early = [answer for answer in answers if answer.at <= middle]
    return slowest(early), slowest([answer for answer in answers if answer.at > middle])


def drift(answers: Sequence[Answer], plain: Sequence[Answer]) -> float:
    """By which share the second half's slowest answers are slower than the first half's, beyond what the plain server became slower."""
    (before, after), (plain_before, plain_after) = halves(answers), halves(plain)
    if not (before and plain_before and plain_after):
        return 0.0
    return after / before / (plain_after / plain_before) - 1


def _sizes(looks: Looks, stores: Collection[str]) -> Iterator[str]:
    for name, sizes in looks.sizes.items():
        grows = memory_trend(sizes)
        if name not in stores and grows > ALLOWED_MEMORY:
            now = sizes[-1].resident_bytes / MEGABYTE
            yield f"memory: {name} grows by {grows / MEGABYTE:.1f} MB in ten minutes, to {now:.0f} MB"
        more = descriptor_trend(sizes)
        if more > ALLOWED_DESCRIPTORS:
            yield f"descriptors: {name} has {more:.1f} more every ten minutes, now {sizes[-1].descriptors}"


def _outboxes(looks: Looks) -> Iterator[str]:
    for name, rows in looks.rows.items():
        since, least = None, 0
        for look in rows:
            if look.waiting <= FEW_ROWS:
                since = None
                continue
            since, least = (look.at, look.waiting) if since is None else (since, min(least, look.waiting))
            if look.at - since >= STRETCH_SECONDS:
                yield f"outbox: {name} held {least} rows or more for {look.at - since:.0f} s"
                break


def _answers(looks: Looks) -> Iterator[str]:
    plain = looks.answers.get(PLAIN, [])
    for kind, answers in looks.answers.items():
        if kind != PLAIN and (more := drift(answers, plain)) > ALLOWED_DRIFT:
            early, late = halves(answers)
            told = f"{1000 * early:.0f} ms became {1000 * late:.0f} ms"
            yield f"answers: 99 of 100 of {kind}: {told}, {more:.0%} more than the plain server's"


def _since(seen: Mapping[str, list[Moment]], moment: float) -> dict[str, list[Moment]]:
    return {name: [each for each in found if each.at >= moment] for name, found in seen.items()}
