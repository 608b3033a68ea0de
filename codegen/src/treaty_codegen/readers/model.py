"""What the scanner answers: reads, and values that it lost sight of. Never "safe"."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from treaty_codegen.finding import Reader


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Read:
    """A line that reads a field. ``event`` and ``path`` are as seen from the event; ``owner`` is the record that has the ``field``."""

    file: str
    line: int
    event: str
    path: str
    owner: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Unknown:
    """A line after which nobody can say what is read of an event, and why."""

    file: str
    line: int
    event: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Handled:
    """A line that says which function handles an event: ``@on(OrderPaid)``."""

    file: str
    line: int
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """All answers for one program, sorted. ``exhaustive``: the reads by a ``match`` without a way for what comes later."""

    reads: tuple[Read, ...]
    unknown: tuple[Unknown, ...]
    handled: tuple[Handled, ...] = ()
    exhaustive: tuple[Read, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """The answers for all services by name. ``complete``: events that have declared readers, the code of all of which was looked at."""

    scans: tuple[tuple[str, Scan], ...] = ()
    complete: frozenset[str] = frozenset()

    def of(self, *, owner: str, field: str, event: str) -> tuple[Reader, ...]:
        """Who reads a field of a record, as a part of ``event`` or of any other; then who may read anything of ``event``."""
        reads = (
            Reader(service=service, file=read.file, line=read.line, exhaustive=read in found.exhaustive)
            for service, found in self.scans
            for read in found.reads
            if (read.owner, read.field) == (owner, field)
        )
        lost = self.lost(event)
        return tuple(unique(reads)) + lost

    def exhaustive(self, fields: Collection[tuple[str, str]], *, event: str) -> tuple[Reader, ...]:
        """Who matches every symbol or branch of one of the ``fields`` (owner and name); then who may read anything of ``event``."""
        reads = (
            Reader(service=service, file=read.file, line=read.line, exhaustive=True)
            for service, found in self.scans
            for read in found.exhaustive
            if (read.owner, read.field) in fields
        )
        return tuple(unique(reads)) + self.lost(event)

    def lost(self, event: str) -> tuple[Reader, ...]:
        """Lines after which nobody can say what is read of an event."""
        lost = (
            Reader(service=service, file=each.file, line=each.line, why=each.why)
            for service, found in self.scans
            for each in found.unknown
            if each.event == event
        )
        return tuple(unique(lost))


def unique(readers: Iterable[Reader]) -> list[Reader]:
    """Each reader once, in order."""
    return list(dict.fromkeys(readers))
