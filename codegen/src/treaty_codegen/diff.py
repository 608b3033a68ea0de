"""What changed between two versions of an event: facts by name, no verdicts.

The new side carries positions, so every change knows the file and pointer where it can be seen; a change inside a shared type
is found at the shared type's own file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from treaty_avro import Array, Enum, Field, Fixed, Map, Primitive, Record, Type, Union

Kind: TypeAlias = Literal[
    "field-added",
    "field-removed",
    "field-renamed",
    "field-changed",
    "type-changed",
    "symbol-added",
    "symbol-removed",
    "symbols-reordered",
    "enum-default-changed",
    "size-changed",
    "name-changed",
    "namespace-changed",
    "branch-added",
    "branch-removed",
    "doc-changed",
]

Named: TypeAlias = Record | Enum | Fixed

PROMOTIONS: Final[Mapping[str, frozenset[str]]] = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}
"""A writer's kind to the kinds that it is read as. Source: Apache Avro specification, "Schema Resolution"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a thing stands on the new side: the named type that holds it, and the pointer within that type's file."""

    owner: str
    pointer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One fact. ``path`` names the thing from its nearest named type down: ``total`` in the event itself, ``OrderLine.quantity``
    in a type that it holds, "" for the event; so a shared type's change has one name whichever event it is seen from."""

    kind: Kind
    path: str
    place: Place
    old: Type | None = None
    new: Type | None = None
    old_field: Field | None = None
    new_field: Field | None = None
    before: str = ""
    after: str = ""


def diff(old: Type, new: Type) -> list[Change]:
    """All changes from ``old`` to ``new``, in the order of the new schema; each pair of named types is compared once."""
    owner = new.name.full if isinstance(new, (Record, Enum, Fixed)) else ""
    return list(_Walk().compare(old, new, "", Place(owner=owner, pointer=new.pointer)))


def describe(type_: Type) -> str:
    """A type in a few words, as people say it: ``decimal(12, 2)``, ``array of mall.order.OrderLine``, ``null or string``."""
    if type_.logical is not None:
        if type_.logical.kind == "decimal":
            return f"decimal({type_.logical.precision}, {type_.logical.scale})"
        return f"{type_.kind} {type_.logical.kind}"
    match type_:
        case Array():
            return f"array of {describe(type_.items)}"
        case Map():
            return f"map of {describe(type_.values)}"
        case Union():
            return " or ".join(describe(branch) for branch in type_.branches)
        case Record() | Enum() | Fixed():
            return type_.name.full
        case _:
            return type_.kind


class _Walk:
    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def compare(self, old: Type, new: Type, path: str, place: Place) -> Iterator[Change]:
        if isinstance(old, Union) or isinstance(new, Union):
            yield from self.union(old, new, path, place)
            return
        if old.kind != new.kind or old.logical != new.logical:
            yield Change(
                kind="type-changed", path=path, place=place, old=old, new=new, before=describe(old), after=describe(new)
            )
        if old.kind != new.kind:
            return
        if isinstance(new, Record | Enum | Fixed):
            if (id(old), id(new)) in self._seen:
                return
            self._seen.add((id(old), id(new)))
            path = new.name.simple if len(self._seen) > 1 else path
            place = Place(owner=new.name.full, pointer=new.pointer)
        match old, new:
            case Record(), Record():
                yield from self.record(old, new, path, place)
            case Array(), Array():
                yield from self.compare(old.items, new.items, f"{path}[]", deeper(place, "items", new))
            case Map(), Map():
                yield from self.compare(old.values, new.values, f"{path}{{}}", deeper(place, "values", new))
            case Enum(), Enum():
                yield from enums(old, new, path, place)
            case Fixed(), Fixed():
                yield from fixeds(old, new, path, place)

    def record(self, old: Record, new: Record, path: str, place: Place) -> Iterator[Change]:
        yield from named(old, new, path, place)
        left = {field.name: field for field in old.fields}
        for field in new.fields:
            before, name = match_field(field, left), join(path, field.name)
            if before is None:
                at = Place(owner=new.name.full, pointer=field.pointer)
                yield Change(
                    kind="field-added", path=name, place=at, new=field.type, new_field=field, after=describe(field.type)
                )
                continue
            del left[before.name]
            yield from fields(before, field, name, new)
            if is_same_primitive(before.type, field.type):  # as most are
                continue
            inside = Place(owner=new.name.full, pointer=f"{field.pointer}/type")
            yield from self.compare(before.type, field.type, name, inside)
        for field in left.values():
            gone = Place(owner=new.name.full, pointer=f"{new.pointer}/fields")
            yield Change(
                kind="field-removed",
                path=join(path, field.name),
                place=gone,
                old=field.type,
                old_field=field,
                before=describe(field.type),
            )

    def union(self, old: Type, new: Type, path: str, place: Place) -> Iterator[Change]:
        """A type that is no union counts as a union of itself alone, so that "made optional" is a branch that was added."""
        pairs = paired(branches_of(old), branches_of(new))
        for number, (before, branch) in enumerate(pairs.both):
            at = Place(owner=place.owner, pointer=f"{new.pointer}/{number}") if isinstance(new, Union) else place
            if before is None:
                yield Change(kind="branch-added", path=path, place=at, old=old, new=new, after=describe(branch))
            else:
                yield from self.compare(before, branch, path, at)
        for branch in pairs.gone:
            yield Change(kind="branch-removed", path=path, place=place, old=old, new=new, before=describe(branch))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Each new branch with the old one that it continues, in the order of the new union; old ones that nothing continues."""

    both: list[tuple[Type | None, Type]]
    gone: list[Type]


def paired(old: tuple[Type, ...], new: tuple[Type, ...]) -> Pairs:
    """By name first, then by what Avro would read as the other."""
    left, found = list(old), dict[int, Type]()
    for is_same in (same_branch, continues):
        for number, branch in enumerate(new):
            before = next((each for each in left if is_same(each, branch)), None) if number not in found else None
            if before is not None:
                found[number] = before
                left.remove(before)
    return Pairs(both=[(found.get(number), branch) for number, branch in enumerate(new)], gone=left)


def branches_of(type_: Type) -> tuple[Type, ...]:
    """The branches of a union; any other type is its only one."""
    return type_.branches if isinstance(type_, Union) else (type_,)


def same_branch(old: Type, new: Type) -> bool:
    """Whether two branches have the same name."""
    return branch_name(old) == branch_name(new)


def continues(old: Type, new: Type) -> bool:
    """Whether ``new`` is what became of ``old``: the same simple name, an alias, or a promotion either way."""
    if isinstance(old, Record | Enum | Fixed) and isinstance(new, Record | Enum | Fixed):
        return old.name.simple == new.name.simple or old.name in new.aliases
    return old.kind != new.kind and is_promotable(old, new)


def is_promotable(one: Type, other: Type) -> bool:
    """Whether Avro reads one of two primitives as the other."""
    return other.kind in PROMOTIONS.get(one.kind, ()) or one.kind in PROMOTIONS.get(other.kind, ())


def enums(old: Enum, new: Enum, path: str, place: Place) -> Iterator[Change]:
    """What changed between two enums: symbols, their order, the default."""
    yield from named(old, new, path, place)
    before, after = frozenset(old.symbols), frozenset(new.symbols)
    for symbol in old.symbols:
        if symbol not in after:
            yield Change(kind="symbol-removed", path=path, place=place, old=old, new=new, before=symbol)
    for symbol in new.symbols:
        if symbol not in before:
            yield Change(kind="symbol-added", path=path, place=place, old=old, new=new, after=symbol)
    kept = [symbol for symbol in new.symbols if symbol in before]
    # A new symbol before an old one moves it as well; a removed one is told as that.
    if kept != [symbol for symbol in old.symbols if symbol in after] or list(new.symbols[: len(kept)]) != kept:
        yield Change(kind="symbols-reordered", path=path, place=place, old=old, new=new)
    if old.default != new.default:
        yield Change(
            kind="enum-default-changed",
            path=path,
            place=place,
            old=old,
            new=new,
            before=old.default or "",
            after=new.default or "",
        )


def fixeds(old: Fixed, new: Fixed, path: str, place: Place) -> Iterator[Change]:
    """What changed between two fixed types: the size in bytes."""
    yield from named(old, new, path, place)
    if old.size != new.size:
        yield Change(
            kind="size-changed", path=path, place=place, old=old, new=new, before=str(old.size), after=str(new.size)
        )


def named(old: Named, new: Named, path: str, place: Place) -> Iterator[Change]:
    """What can change about any named type: its name, its namespace alone (which Avro does not look at), its documentation."""
    if old.name != new.name:
        kind: Kind = "namespace-changed" if old.name.simple == new.name.simple else "name-changed"
        yield Change(kind=kind, path=path, place=place, old=old, new=new, before=old.name.full, after=new.name.full)
    if (old.doc or "") != (new.doc or ""):
        yield Change(
            kind="doc-changed", path=path, place=place, old=old, new=new, before=old.doc or "", after=new.doc or ""
        )


def fields(old: Field, new: Field, path: str, record: Record) -> Iterator[Change]:
    """What can change about a field of the new ``record`` besides its type: name (by alias), default, properties, documentation."""
    is_renamed, is_told_otherwise = old.name != new.name, (old.doc or "") != (new.doc or "")
    is_changed = not is_same_json(old.default, new.default) or not is_same_json(dict(old.props), dict(new.props))
    if not (is_renamed or is_changed or is_told_otherwise):  # as most are
        return
    place = Place(owner=record.name.full, pointer=new.pointer)
    changed = Change(
        kind="field-changed", path=path, place=place, old=old.type, new=new.type, old_field=old, new_field=new
    )
    if is_renamed:
        yield replace(changed, kind="field-renamed", before=old.name, after=new.name)
    if is_changed:
        yield changed
    if is_told_otherwise:
        yield replace(changed, kind="doc-changed", before=old.doc or "", after=new.doc or "")


def is_same_primitive(one: Type, other: Type) -> bool:
    """Whether both are the same type without parts: there is nothing to compare within."""
    return (
        type(one) is Primitive and type(other) is Primitive and one.kind == other.kind and one.logical == other.logical
    )


def is_same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values mean the same: the order of keys, and 1 against 1.0, do not count; true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def match_field(field: Field, old: dict[str, Field]) -> Field | None:
    """The old field that the new one continues: of its name, else of one of its aliases."""
    return next((old[name] for name in (field.name, *field.aliases) if name in old), None)


def branch_name(branch: Type) -> str:
    """A branch's name in its union: the full name of a named type, else the kind."""
    return branch.name.full if isinstance(branch, (Record, Enum, Fixed)) else branch.kind


def join(path: str, name: str) -> str:
    """The path of a member of what ``path`` names."""
    return f"{path}.{name}" if path else name


def deeper(place: Place, step: str, container: Type) -> Place:
    """The place one step inside a container, by the container's pointer in its owner's text."""
    return Place(owner=place.owner, pointer=f"{container.pointer}/{step}")
