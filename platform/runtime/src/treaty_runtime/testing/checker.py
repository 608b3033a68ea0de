"""Judges a history: what producers, relays, consumers and sinks wrote down, against what was promised. Pure.

Names follow Jepsen and Kafka's own system tests. ``duplicate`` is reported and is no failure: the topic promises at-least-once.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from treaty_runtime.event import Place

Op = Literal["stage", "record", "assigned", "poll", "effect", "dead-letter", "commit"]
Name = Literal[
    "lost-write",
    "unseen",
    "phantom",
    "duplicate",
    "double-effect",
    "order",
    "nonmonotonic-poll",
    "commit-past-unfinished",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a history, in the order of ``t`` (seconds).

    ``stage``: a transaction that staged the event ended with ``outcome`` ok, rolled-back or unknown. ``record``: the topic holds it
    at ``place``. ``poll``, ``effect``, ``dead-letter``: a process saw it, acted on it once, gave it up. ``commit``: a process committed
    ``place`` (its offset is the next to read). ``assigned``: a process got the partition of ``place``.
    """

    t: float
    process: str
    op: Op
    key: str = ""
    sequence: int = 0
    event_id: str = ""
    place: Place | None = None
    outcome: str = "ok"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A broken promise (or a mere duplicate), with the events concerned."""

    name: Name
    events: tuple[str, ...]
    detail: str

    @property
    def is_failure(self) -> bool:
        """Whether a promise was broken."""
        return self.name != "duplicate"


def read(lines: Iterable[str]) -> list[Entry]:
    """Entries of JSON lines, sorted by time; a torn last line of a killed process is left out."""
    entries = []
    for line in lines:
        try:
            data = json.loads(line)
        except ValueError:
            continue
        place = data.pop("place", None)
        entries.append(Entry(**data, place=Place(*place) if place else None))
    return sorted(entries, key=lambda entry: entry.t)


def check(history: Sequence[Entry]) -> list[Verdict]:
    """Everything that is wrong with a history whose processes have ended and whose topics were read to the end."""
    entries = sorted(history, key=lambda entry: entry.t)
    return [
        *_writes(entries),
        *_effects(entries),
        *_order(entries),
        *_polls(entries),
        *_commits(entries),
    ]


def _of(entries: Iterable[Entry], *ops: Op) -> list[Entry]:
    return [entry for entry in entries if entry.op in ops]


def _writes(entries: Sequence[Entry]) -> Iterator[Verdict]:
    present = defaultdict(list)
    for entry in _of(entries, "record"):
        present[entry.event_id].append(entry)
    staged = {entry.event_id: entry for entry in _of(entries, "stage")}
    lost = [name for name, entry in staged.items() if entry.outcome == "ok" and name not in present]
    if lost:
        yield Verdict("lost-write", tuple(lost), "committed, never in the topic")
    phantoms = [name for name, entry in staged.items() if entry.outcome == "rolled-back" and name in present]
    if phantoms:
        yield Verdict("phantom", tuple(phantoms), "rolled back, yet in the topic")
    repeated = [name for name, found in present.items() if len(found) > 1]
    if repeated:
        yield Verdict("duplicate", tuple(repeated), "more than once in the topic")


def _effects(entries: Sequence[Entry]) -> Iterator[Verdict]:
    counts: dict[str, int] = defaultdict(int)
    for entry in _of(entries, "effect"):
        counts[entry.event_id] += 1
    given_up = {entry.event_id for entry in _of(entries, "dead-letter")}
    records = dict.fromkeys(entry.event_id for entry in _of(entries, "record"))
    unseen = [name for name in records if name not in counts and name not in given_up]
    if unseen:
        yield Verdict("unseen", tuple(unseen), "in the topic, without effect")
    doubled = [name for name, count in counts.items() if count > 1]
    if doubled:
        yield Verdict("double-effect", tuple(doubled), "more than one effect")


def _order(entries: Sequence[Entry]) -> Iterator[Verdict]:
    """Inversions of first occurrences per key: in the topic by offset, in effects by time."""
    in_topic = sorted(_of(entries, "record"), key=lambda entry: entry.place or Place("", 0, 0))
    for where, ordered in (("topic", in_topic), ("effects", _of(entries, "effect"))):
        newest: dict[str, Entry] = {}
        seen: set[str] = set()
        for entry in ordered:
            if entry.event_id in seen:
                continue
            seen.add(entry.event_id)
            before = newest.get(entry.key)
            if before is not None and entry.sequence < before.sequence:
                events = (before.event_id, entry.event_id)
                yield Verdict(
                    "order", events, f"{where}: key {entry.key} has {before.sequence} before {entry.sequence}"
                )
            else:
                newest[entry.key] = entry


def _polls(entries: Sequence[Entry]) -> Iterator[Verdict]:
    """Offsets that go back without a new assignment in between."""
    last: dict[tuple[str, str, int], Entry] = {}
    for entry in _of(entries, "poll", "assigned"):
        if entry.place is None:
            continue
        owner = (entry.process, entry.place.topic, entry.place.partition)
        if entry.op == "assigned":
            last.pop(owner, None)
            continue
        before = last.get(owner)
        if before is not None and before.place is not None and entry.place.offset <= before.place.offset:
            events = (before.event_id, entry.event_id)
            yield Verdict("nonmonotonic-poll", events, f"{entry.process}: {entry.place} after {before.place}")
        last[owner] = entry


def _commits(entries: Sequence[Entry]) -> Iterator[Verdict]:
    """Commits beyond a record that had neither effect nor dead letter at that time."""
    done: set[str] = set()
    records = defaultdict(list)
    for entry in _of(entries, "record"):
        if entry.place is not None:
            records[entry.place.of].append((entry.place.offset, entry.event_id))
    for entry in entries:
        if entry.op in {"effect", "dead-letter"}:
            done.add(entry.event_id)
        elif entry.op == "commit" and entry.place is not None:
            passed = [
                name for offset, name in records[entry.place.of] if offset < entry.place.offset and name not in done
            ]
            if passed:
                yield Verdict("commit-past-unfinished", tuple(passed), f"{entry.process} committed {entry.place}")
