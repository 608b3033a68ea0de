"""All dead letters of a cluster with what became of them, read from the topics each time: there is nothing to be out of date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from treaty.errors import UsageError
from treaty.ops.dead_letters.letter import Letter, in_order, letter_of
from treaty.ops.dead_letters.states import Standing, State, place_of, standings, unread
from treaty.ops.dead_letters.under_way import under_way
from treaty.ops.journal import Journal, Note
from treaty_runtime.event import Partition, Place
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.retry import retry_topic

PREFIX = "dlq."


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Letters of one fingerprint: equal failures of one group and event type."""

    fingerprint: str
    cause: str
    message: str
    event_type: str
    group: str | None
    topics: tuple[str, ...]
    counts: dict[State, int]
    first: datetime
    last: datetime
    oldest: Letter

    @property
    def waiting(self) -> int:
        """How many of them wait for an operator."""
        return self.counts.get(State.WAITING, 0)


class DeadLetters:
    """Dead letters of the ``topics`` of one cluster (none given: every `dlq.…`)."""

    def __init__(self, log: Log, groups: Groups, journal: Journal, *, topics: Iterable[str] = ()) -> None:
        self.log, self.groups, self.journal = log, groups, journal
        self._asked = tuple(topics)
        self._letters: dict[Place, Letter] = {}
        self._read: dict[Partition, int] = {}

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """The topics that are looked at; ``UsageError`` for one that does not exist."""
        known = self.log.topics()
        for name in self._asked:
            if name not in known:
                raise UsageError(f"There is no topic {name}.", next_step="treaty dlq list")
        return self._asked or tuple(name for name in known if name.startswith(PREFIX))

    def look(self) -> Sequence[Letter]:
        """Every letter in the topics, oldest first; a second look reads only what came since."""
        spans = {
            partition: (max(start, self._read.get(partition, start)), end)
            for partition, (start, end) in self.log.spans(self.topics).items()
        }
        for record in self.log.read(spans):
            self._letters[record.place] = letter_of(record, fetch=self.log.record)
        self._read |= {partition: end for partition, (_, end) in spans.items()}
        return in_order(self._letters)

    def standings(self) -> dict[Place, Standing]:
        """What became of every letter."""
        notes = self.journal.notes()
        # First what groups have before them, then the letters: an event that fails meanwhile is seen at its next place.
        groups = {letter.group for letter in self._letters.values() or self.look() if letter.group}
        running = {identity for group in groups for identity in under_way(group, self)}
        gone = self._gone(groups, notes)
        return standings(self.look(), notes, under_way=running, gone=gone)

    def _gone(self, groups: Iterable[str], notes: Mapping[str, Note]) -> set[Place]:
        copies = {copy for note in notes.values() if note.act == "replay" and (copy := place_of(note.to)) is not None}
        found: set[Place] = set()
        for group in groups:
            own = {copy for copy in copies if copy.topic == retry_topic(group, delay="0s")}
            starts = {each: start for each, (start, _) in self.log.spans({copy.topic for copy in own}).items()}
            found |= unread(own, starts=starts, committed=self.groups.committed(group, {copy.of for copy in own}))
        return found

    def one(self, place: Place) -> Letter:
        """The letter at a place; ``UsageError`` if there is none."""
        record = self.log.record(place)
        if record is None:
            raise UsageError(f"There is no record at {place}.", next_step="treaty dlq list")
        return letter_of(record, fetch=self.log.record)


def kinds(letters: Iterable[Letter], known: dict[Place, Standing]) -> Iterator[Kind]:
    """Letters grouped by fingerprint, the most waiting first."""
    groups: dict[tuple[str, str | None], list[Letter]] = defaultdict(list)
    for letter in letters:
        groups[letter.fingerprint, letter.group].append(letter)
    yield from sorted(
        (_kind(members, known) for members in groups.values()),
        key=lambda kind: (-kind.waiting, kind.first, kind.fingerprint),
    )


def _kind(members: Sequence[Letter], known: dict[Place, Standing]) -> Kind:
    counts: dict[State, int] = defaultdict(int)
    for letter in members:
        counts[known[letter.place].state] += 1
    oldest = min(members, key=lambda letter: (letter.at, letter.place))
    return Kind(
        fingerprint=oldest.fingerprint,
        cause=oldest.cause,
        message=oldest.message,
        event_type=oldest.event_type,
        group=oldest.group,
        topics=tuple(sorted({letter.place.topic for letter in members})),
        counts={state: counts[state] for state in State if state in counts},
        first=oldest.at,
        last=max(letter.at for letter in members),
        oldest=oldest,
    )
