"""What all wire rules share: Avro's verdict, at the line of the new file where the cause can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from treaty_avro import Array, Incompatibility, Map, Record, Type, Union
from treaty_codegen.breaking.facts import Comparison, Direction
from treaty_codegen.diff import Place, join
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
                proof=prove_unreadable(
                    comparison.old, comparison.new, direction=direction, path=fact.path, found=found
                ),
            )


def locate(comparison: Comparison, direction: Direction, found: Incompatibility) -> WireFact:
    """Follows Avro's location (indexes, in the reader) to names, and those names to a place in the new file."""
    reader = comparison.new if direction == "backward" else comparison.old
    steps = [step for step in found.location.split("/") if step]
    path = names_along(reader.root, steps)
    return WireFact(direction=direction, path=path, place=place_of(comparison.new.root, path), found=found)


def names_along(type_: Type, steps: list[str]) -> str:
    """``/fields/4/type/items/fields/2`` as ``lines[].unit_price``."""
    path, at, rest = "", type_, list(steps)
    while rest:
        step = rest.pop(0)
        match at:
            case Record() if step == "fields" and rest:
                field = at.fields[int(rest.pop(0))]
                path, at = join(path, field.name), field.type
            case Array() if step == "items":
                path, at = f"{path}[]", at.items
            case Map() if step == "values":
                path, at = f"{path}{{}}", at.values
            case Union() if step.isdigit():
                at = at.branches[int(step)]
            case _:
                continue  # "type", or the last step (size, symbols, name), which names no field
    return path


def place_of(root: Type, path: str) -> Place:
    """The nearest place on the new side for a path by names: the field itself, or the type that no longer has it."""
    place, at = Place(owner=owner_of(root), pointer=root.pointer), root
    for step in path.replace("[]", ".[]").replace("{}", ".{}").split("."):
        at = through_unions(at, step)
        match at:
            case Record():
                field = next((f for f in at.fields if step in (f.name, *f.aliases)), None)
                if field is None:
                    return Place(owner=at.name.full, pointer=at.pointer)
                place, at = Place(owner=at.name.full, pointer=field.pointer), field.type
            case Array() if step == "[]":
                at = at.items
            case Map() if step == "{}":
                at = at.values
            case _:
                return place
    return place


def through_unions(type_: Type, step: str) -> Type:
    """The branch of a union that has the step; the type itself if it is no union."""
    if not isinstance(type_, Union):
        return type_
    kinds = {"[]": Array, "{}": Map}.get(step, Record)
    return next((branch for branch in type_.branches if isinstance(branch, kinds)), type_)


def owner_of(type_: Type) -> str:
    name = getattr(type_, "name", None)
    return name.full if name is not None else ""
