"""What all wire rules share: Avro's verdict, at the line of the new file where the cause can be seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from treaty_avro import (
    AmbiguousField,
    Array,
    Enum,
    Fixed,
    Incompatibility,
    Map,
    Record,
    Schema,
    Type,
    Union,
    incompatibilities,
)
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
    step: str
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
        for steps, found in causes(comparison, direction):
            if found.type != type_:
                continue
            fact = locate(comparison, direction, steps, found)
            key = (direction, fact.path, found.message)
            if key in seen:
                continue
            seen.add(key)
            yield comparison.finding(
                rule,
                category="wire",
                severity=Severity.ERROR,
                at=fact.place,
                step=fact.step,
                message=message(fact),
                help=help(fact),
                names=key,
                proof=comparison.prove(prove_unreadable, found, writer=fact.writer, reader=fact.reader),
            )


def causes(comparison: Comparison, direction: Direction) -> list[tuple[list[str], Incompatibility]]:
    """Avro's verdict with the steps that lead there; a field that cannot be told apart is the business of its own rule."""
    try:
        found = comparison.incompatibilities(direction)
    except AmbiguousField:
        return []
    root = (comparison.new if direction == "backward" else comparison.old).root
    return [cause for each in found for cause in within(each, names_along(root, each.location))]


def within(found: Incompatibility, steps: list[str]) -> Iterator[tuple[list[str], Incompatibility]]:
    """Avro says of a union only that a branch is lacking. Where the reader has a branch of that name, the reason lies inside."""
    counterpart = counterpart_of(found)
    if counterpart is None:
        yield steps, found
        return
    reader, writer = counterpart
    for inner in incompatibilities(alone(reader), alone(writer)):
        yield from within(inner, [*steps, f"|{branch_name(reader)}", *names_along(reader, inner.location)])


def counterpart_of(found: Incompatibility) -> tuple[Type, Type] | None:
    """The reader's and the writer's branch of one name, where Avro calls the writer's lacking all the same."""
    if found.type != "MISSING_UNION_BRANCH" or not isinstance(found.reader, Union):
        return None
    writer = found.writer
    if isinstance(writer, Union):
        writer = writer.branches[int(found.location.rpartition("/")[2])]
    reader = next((each for each in found.reader.branches if branch_name(each) == branch_name(writer)), None)
    return (reader, writer) if reader is not None else None


def alone(type_: Type) -> Schema:
    """A type as a schema of its own, for the checker, which asks for the root only."""
    return Schema(root=type_, named={}, text="")


def locate(comparison: Comparison, direction: Direction, steps: list[str], found: Incompatibility) -> WireFact:
    """Follows the names of an incompatibility to a place in the new file."""
    path, place, at = replay(comparison.new.root, steps)
    last = found.location.rpartition("/")[2]
    names_type = last in {"symbols", "size", "name"} and not refers_elsewhere(comparison, direction, found)
    # What is wrong is the named type itself, wherever it is used: unless the field now refers to another type.
    if names_type and isinstance(at, Record | Enum | Fixed):
        path, place, step = at.name.simple, Place(owner=at.name.full, pointer=at.pointer), f"/{last}"
    elif found.type != "READER_FIELD_MISSING_DEFAULT_VALUE" and re.search(r"/fields/\d+$", place.pointer):
        step = "/type"
    else:
        step = ""
    return WireFact(direction=direction, path=path, place=place, step=step, found=found)


def refers_elsewhere(comparison: Comparison, direction: Direction, found: Incompatibility) -> bool:
    """Whether two names differ because a field refers to another type now, and the old type still exists."""
    old = found.writer if direction == "backward" else found.reader
    return found.type == "NAME_MISMATCH" and branch_name(old) in comparison.places


def names_along(type_: Type, location: str) -> list[str]:
    """``/fields/4/type/items/fields/2`` as the steps ``lines``, ``[]``, ``unit_price``. A union ends the way: Avro goes no deeper."""
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
            case Union():
                return steps
            case _:
                continue  # "type", the number of a writer's branch, or the last step (size, symbols, name)
    return steps


def replay(root: Type, steps: list[str]) -> tuple[str, Place, Type | None]:
    """The path by names, the place on the new side, and the type there; None where the new side lacks a step."""
    at, path, place = root, "", Place(owner=owner_of(root), pointer=root.pointer)
    for step in steps:
        if isinstance(at, Record) and at is not root:
            path, place = at.name.simple, Place(owner=at.name.full, pointer=at.pointer)
        below = step_into(at, step)
        if below is None:
            if isinstance(at, Record):
                return join(path, step), Place(owner=place.owner, pointer=f"{at.pointer}/fields"), None
            return path, place, None
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
            for number, branch in enumerate(at.branches):
                if f"|{branch_name(branch)}" == step:
                    return "", f"{at.pointer}/{number}", branch
            return None
        case _:
            return None


def owner_of(type_: Type) -> str:
    return type_.name.full if isinstance(type_, Record | Enum | Fixed) else ""
