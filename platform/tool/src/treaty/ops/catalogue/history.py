"""What each event was before: the releases at which its schema changed, and what changed then. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from treaty_avro import AvroError, Record, Schema, parse
from treaty_codegen import Catalog, publish
from treaty_codegen.diff import Change, diff
from treaty_codegen.old_set import OldSet
from treaty_codegen.reach import named_within

Field = tuple[str, str]
"""Full name of a record, and one of its fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A release (``""``: not released yet) that changed an event; ``changes`` None: the first that has it."""

    release: str
    contract: str
    changes: tuple[Change, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Steps, newest first; ``since``: the first release that has each field, "" for one that none has."""

    steps: tuple[Step, ...]
    since: Mapping[Field, str]


class Histories:
    """Of every event; ``releases`` newest first. A text is parsed once, however many releases hold it."""

    def __init__(self, catalog: Catalog, releases: Sequence[OldSet]) -> None:
        self._catalog = catalog
        self._oldest_first = releases[::-1]

    def of(self, event: str) -> History:
        """The history of one event (full name)."""
        file = self._catalog.by_name[event]
        now = publish(file)
        since: dict[Field, str] = {}
        steps: list[Step] = []
        text = ""
        before: Schema | None = None
        for label, contract, each in [*self._released(event), ("", "", now)]:
            if each == text:
                continue
            schema = file.schema if each == now else _parsed(each)
            if schema is None:
                continue
            changes = None if before is None else tuple(diff(before.root, schema.root))
            steps.append(Step(release=label, contract=contract, changes=changes))
            for place in _fields(schema):
                since.setdefault(place, label)
            text, before = each, schema
        return History(steps=tuple(reversed(steps)), since=since)

    def _released(self, event: str) -> Iterator[tuple[str, str, str]]:
        for release in self._oldest_first:
            old = release.events.get(event)
            if old is not None:
                yield release.label.removeprefix("release "), old.contract, old.text


def _parsed(text: str) -> Schema | None:
    try:
        return parse(text, rules="stored")
    except AvroError:
        return None  # a released set that somebody spoilt: rule `released-set-changed` says so


def _fields(schema: Schema) -> Iterator[Field]:
    for name, type_ in named_within(schema.root).items():
        if isinstance(type_, Record):
            yield from ((name, field.name) for field in type_.fields)
