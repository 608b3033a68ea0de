"""What all wire rules share: Avro's verdict, at the line of the new file where the cause can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from treaty_avro import Array, Enum, Fixed, Incompatibility, Map, Record, Type, Union
from treaty_codegen.breaking.facts import Comparison, Direction
from treaty_codegen.diff import Place, branch_name, join
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.proof import prove_unreadable

Sentence = Callable[["WireFact"], Text]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFact:
    """One incompatibility by names: who cannot read, where, and Avro's own word for it."""

    direction: Direction
    path: str
    place: Place
    found: Incompatibility

    @property
    def reader(self) -> str:
        """Who fails, in words."""
        return "the new schema" if self.direction == "backward" else "the old schema"

    @property
    def writer(self) -> str:
        """Who wrote, in words."""
        return "the old schema" if self.direction == "backward" else "the new schema"

    @property
    def records(self) -> str:
        """What it fails on, in words."""
        return "old records" if self.direction == "backward" else "new records"


def wire_findings(
    comparison: Comparison, rule: str, type_: str, *, message: Sentence, help: Sentence
) -> Iterator[Finding]:
    """Findings of one Avro incompatibility type, in every direction that the topic's level promises, once each."""
    seen: set[tuple[str, str, str]] = set()
    for direction in comparison.directions:
        for found in comparison.incompatibilities(direction):
            if found.type != type_:
                continue
            fact = locate(comparison, direction, found)
            key = (direction, fact.path, found.message)
            if key in seen:
                continue
            seen.add(key)
            yield comparison.finding(
                rule,
                category="wire",
                severity=Severity.ERROR,
                at=fact.place,
                message=message(fact),
                help=help(fact),
                names=(direction, fact.path, found.message),
                proof=prove_unreadable(found, writer=fact.writer, reader=fact.reader),
            )


def locate(comparison: Comparison, direction: Direction, found: Incompatibility) -> WireFact:
    """Follows Avro's location (indexes, in the reader) to names, and those names to a place in the new file."""
    reader = comparison.new if direction == "backward" else comparison.old
    path, place, at = replay(comparison.new.root, names_along(reader.root, found.location))
    if found.location.endswith(("/symbols", "/size", "/name")) and isinstance(at, Record | Enum | Fixed):
        # What is wrong is the named type itself, wherever it is used.
        path, place = at.name.simple, Place(owner=at.name.full, pointer=at.pointer)
    return WireFact(direction=direction, path=path, place=place, found=found)


def names_along(type_: Type, location: str) -> list[str]:
    """``/fields/4/type/items/fields/2`` as the steps ``lines``, ``[]``, ``unit_price``; a union's branch by its name."""
    steps, at, rest = [], type_, [step for step in location.split("/") if step]
    while rest:
        step = rest.pop(0)
        match at:
            case Record() if step == "fields" and rest:
                field = at.fields[int(rest.pop(0))]
                steps.append(field.name)
                at = field.type
            case Array() if step == "items":
                steps.append("[]")
                at = at.items
            case Map() if step == "values":
                steps.append("{}")
                at = at.values
            case Union() if step.isdigit():
                at = at.branches[int(step)]
                steps.append(f"|{branch_name(at)}")
            case _:
                continue  # "type", or the last step (size, symbols, name), which names no field
    return steps


def replay(root: Type, steps: list[str]) -> tuple[str, Place, Type | None]:
    """The path by names, the place on the new side, and the type there; None where the new side lacks a step."""
    at, path, place = root, "", Place(owner=owner_of(root), pointer=root.pointer)
    for step in steps:
        if isinstance(at, Record) and at is not root:
            path, place = at.name.simple, Place(owner=at.name.full, pointer=at.pointer)
        below = step_into(at, step)
        if below is None:
            return (join(path, step) if step[0] not in "[{|" else path), place, None
        shown, pointer, at = below
        path = join(path, shown) if shown[:1].isalpha() else path + shown
        place = Place(owner=place.owner, pointer=pointer)
    return path, place, at


def step_into(at: Type, step: str) -> tuple[str, str, Type] | None:
    """One step down: what it adds to the path, the pointer of what was stepped over, and the type below."""
    match at:
        case Record():
            field = next((field for field in at.fields if step in (field.name, *field.aliases)), None)
            return None if field is None else (field.name, field.pointer, field.type)
        case Array() if step == "[]":
            return "[]", f"{at.pointer}/items", at.items
        case Map() if step == "{}":
            return "{}", f"{at.pointer}/values", at.values
        case Union() if step.startswith("|"):
            branch = next((branch for branch in at.branches if f"|{branch_name(branch)}" == step), None)
            return None if branch is None else ("", at.pointer, branch)
        case _:
            return None


def owner_of(type_: Type) -> str:
    return type_.name.full if isinstance(type_, Record | Enum | Fixed) else ""
