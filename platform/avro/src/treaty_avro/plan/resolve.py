"""How a reader's schema reads what a writer's schema wrote: a graph of actions, decided once per pair of types.

Laws: what the compatibility checker accepts is readable for every datum. What can hit only some data (a branch, a
symbol, an item) stays in the graph as ``Unreadable``; what every datum would meet refuses the pair.
Source: Apache Avro 1.12 specification, "Schema Resolution"; matching as in ``compat``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from treaty_avro.compat.checker import PROMOTIONS, incompatibilities, is_same_name
from treaty_avro.errors import AmbiguousField, Conflict, ResolutionError, SchemaLimit
from treaty_avro.schema.model import Array, Enum, Field, Fixed, Map, Missing, Primitive, Record, Type, Union
from treaty_avro.schema.schema import Schema
from treaty_avro.values.meaning import Conversion, conversion

MAX_LEVELS: Final = 250


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a pair cannot be read, and where in the reader's schema (tokens joined by ``/``)."""

    location: str
    message: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Whatever the writer put here cannot become the reader's type."""

    code: Literal["unresolvable", "enum", "logical"]
    text: str
    location: str = "/"


@dataclass(slots=True, eq=False)
class Scalar:
    """A primitive or fixed, promoted where the kinds differ, its meaning converted."""

    writer: Primitive | Fixed
    reader: Primitive | Fixed
    conversion: Conversion = None


@dataclass(slots=True, eq=False)
class Symbols:
    """For each of the writer's symbols the reader's, or why there is none."""

    reader: Enum
    symbols: tuple[str | Unreadable, ...]


@dataclass(slots=True, eq=False)
class Items:
    """Array to array, or map to map."""

    kind: Literal["array", "map"]
    child: Action


@dataclass(slots=True, eq=False)
class Branches:
    """A writer's union: what becomes of each branch."""

    children: tuple[Action, ...]


@dataclass(slots=True, eq=False)
class Chosen:
    """The reader's union takes the value as its branch ``index``."""

    union: Union
    index: int
    child: Action


@dataclass(slots=True, eq=False)
class Step:
    """One field as the writer wrote it. ``target`` None: skipped. ``is_read_again``: the next step reads these bytes too."""

    name: str
    target: Field | None
    child: Action
    is_read_again: bool = False


@dataclass(slots=True, eq=False)
class Steps:
    """A record, in the writer's order; ``missing`` reader fields get their defaults. ``failure``: it never succeeds."""

    reader: Record
    steps: tuple[Step, ...] = ()
    missing: tuple[Field, ...] = ()
    failure: Unreadable | None = None


Action: TypeAlias = Scalar | Symbols | Items | Branches | Chosen | Steps | Unreadable


@dataclass(frozen=True, slots=True)
class Resolution:
    """What to do with the data of ``writer`` to get the values of ``reader``."""

    writer: Schema
    reader: Schema
    action: Action = field(repr=False)


def resolve(writer: Schema, reader: Schema) -> Resolution:
    """The actions that read a writer's data as the reader's values.

    Raises ``ResolutionError`` if no datum could be read, ``SchemaLimit`` beyond 250 levels of types.
    """
    try:
        action = _Resolver().pair(writer.root, reader.root, "", 0)
    except RecursionError:
        raise SchemaLimit("types are nested too deep for the stack that is left; resolve them higher up") from None
    failure = failure_of(action)
    if failure is not None:
        raise ResolutionError(reader.name, incompatibilities=_told(writer, reader, failure))
    return Resolution(writer, reader, action)


def _told(writer: Schema, reader: Schema, failure: Unreadable) -> Sequence[Conflict]:
    """All that the checker finds; what it does not judge (meanings, a pair too large for it) is told by the resolver."""
    try:
        found: Sequence[Conflict] = incompatibilities(reader, writer)
    except (AmbiguousField, SchemaLimit):
        found = ()
    return found or [Mismatch(failure.location, failure.text)]


def failure_of(action: Action) -> Unreadable | None:
    """Why every datum of an action fails; None if some can be read."""
    if isinstance(action, Unreadable):
        return action
    return action.failure if isinstance(action, Steps) else None


class _Resolver:
    """One resolution; remembers pairs, so that recursive types and shared ones are decided once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Action] = {}

    def pair(self, writer: Type, reader: Type, at: str, level: int) -> Action:
        key = (id(writer), id(reader))
        if key not in self._known:
            if level > MAX_LEVELS:
                raise SchemaLimit(f"types are nested {level} levels deep; the limit is {MAX_LEVELS}")
            self._known[key] = self._decide(writer, reader, at, level + 1)
        action = self._known[key]
        return failure_of(action) or action

    def _decide(self, writer: Type, reader: Type, at: str, level: int) -> Action:
        match writer, reader:
            case Union(), _:
                return self._union(writer, reader, at, level)
            case _, Union():
                return self._pick(writer, reader, at, level)
            case Record(), Record() if is_same_name(reader, writer):
                return self._record(writer, reader, at, level)
            case Enum(), Enum() if is_same_name(reader, writer):
                return _symbols(writer, reader, at)
            case Fixed(), Fixed() if is_same_name(reader, writer) and writer.size == reader.size:
                return _scalar(writer, reader, at)
            case Array(), Array():
                return Items("array", self.pair(writer.items, reader.items, f"{at}/items", level))
            case Map(), Map():
                return Items("map", self.pair(writer.values, reader.values, f"{at}/values", level))
            case Primitive(), Primitive() if writer.kind == reader.kind or writer.kind in PROMOTIONS.get(
                reader.kind, ()
            ):
                return _scalar(writer, reader, at)
        return Unreadable("unresolvable", f"{_shown(writer)} is not read as {_shown(reader)}", at or "/")

    def _union(self, writer: Union, reader: Type, at: str, level: int) -> Action:
        if writer is reader:
            # A schema reads itself branch by branch, whatever the names of the branches have in common.
            pairs = [self.pair(branch, branch, f"{at}/{i}", level) for i, branch in enumerate(writer.branches)]
            return Branches(tuple(Chosen(writer, i, child) for i, child in enumerate(pairs)))
        children = tuple(self.pair(branch, reader, f"{at}/{i}", level) for i, branch in enumerate(writer.branches))
        if all(failure_of(child) for child in children):
            return next(iter(filter(None, map(failure_of, children))), _empty(at))
        return Branches(children)

    def _pick(self, writer: Type, reader: Union, at: str, level: int) -> Action:
        """The best branch that takes every datum; else the best that takes some."""
        ranked = sorted(range(len(reader.branches)), key=lambda i: _rank(writer, reader.branches[i]))
        partial: Action | None = None
        other_meaning: Action | None = None
        for index in ranked:
            child = self.pair(writer, reader.branches[index], f"{at}/{index}", level)
            failure = failure_of(child)
            if failure is None:
                if _takes_all(child):
                    return Chosen(reader, index, child)
                partial = partial or Chosen(reader, index, child)
            elif failure.code == "logical":
                other_meaning = other_meaning or failure
        return (
            partial
            or other_meaning
            or Unreadable("unresolvable", f"{_shown(writer)} is no branch of the reader's union", at or "/")
        )

    def _record(self, writer: Record, reader: Record, at: str, level: int) -> Action:
        action = Steps(reader)
        self._known[id(writer), id(reader)] = action
        takers, missing = _matched(writer, reader)
        for target in missing:
            if isinstance(target.default, Missing):
                text = f"the writer has no field {target.name}, and the reader no default for it"
                action.failure = action.failure or Unreadable("unresolvable", text, f"{at}/fields/{target.index}")
        action.missing = tuple(missing)
        steps = []
        for source in writer.fields:
            targets = takers.get(source.name, [])
            for target in targets:
                child = self.pair(source.type, target.type, f"{at}/fields/{target.index}/type", level)
                action.failure = action.failure or failure_of(child)
                steps.append(Step(source.name, target, child, target is not targets[-1]))
            if not targets:
                steps.append(Step(source.name, None, self.pair(source.type, source.type, at, level)))
        action.steps = tuple(steps)
        return action


def _matched(writer: Record, reader: Record) -> tuple[dict[str, list[Field]], list[Field]]:
    """Writer's field → the reader's fields that take it (by alias, it may be several); reader's fields left without."""
    takers: dict[str, list[Field]] = {}
    missing = []
    names = {source.name for source in writer.fields}
    for target in reader.fields:
        found = next((name for name in (target.name, *target.aliases) if name in names), None)
        if found is None:
            missing.append(target)
        else:
            takers.setdefault(found, []).append(target)
    return takers, missing


def _symbols(writer: Enum, reader: Enum, at: str) -> Action:
    known = set(reader.symbols)
    symbols: list[str | Unreadable] = []
    for symbol in writer.symbols:
        if symbol in known:
            symbols.append(symbol)
        elif reader.default is not None:
            symbols.append(reader.default)
        else:
            symbols.append(Unreadable("enum", f"symbol '{symbol}' is not known to {reader.name.full}", f"{at}/symbols"))
    return Symbols(reader, tuple(symbols))


def _scalar(writer: Primitive | Fixed, reader: Primitive | Fixed, at: str) -> Action:
    converted = conversion(writer.logical, reader.logical)
    if isinstance(converted, str):
        return Unreadable("logical", converted, at or "/")
    return Scalar(writer, reader, converted)


def _rank(writer: Type, branch: Type) -> int:
    if isinstance(writer, Record | Enum | Fixed) and isinstance(branch, Record | Enum | Fixed):
        if writer.name == branch.name:
            return 0
        return 1 if writer.name in branch.aliases else 3
    return 2 if writer.kind == branch.kind else 4


def _takes_all(action: Action) -> bool:
    """Whether no datum fails for its type; a meaning that differs is not the type's fault."""
    seen: set[int] = set()
    waiting = [action]
    while waiting:
        current = waiting.pop()
        failure = failure_of(current)
        if failure is not None and failure.code != "logical":
            return False
        if id(current) not in seen:
            seen.add(id(current))
            waiting.extend(_below(current))
    return True


def _below(action: Action) -> Iterator[Action]:
    match action:
        case Items() | Chosen():
            yield action.child
        case Branches():
            yield from action.children
        case Symbols():
            yield from (symbol for symbol in action.symbols if isinstance(symbol, Unreadable))
        case Steps():
            yield from (step.child for step in action.steps if step.target is not None)


def _empty(at: str) -> Unreadable:
    return Unreadable("unresolvable", "the writer's union has no branch", at or "/")


def _shown(type_: Type) -> str:
    if isinstance(type_, Record | Enum | Fixed):
        return f"{type_.kind} {type_.name.full}"
    return type_.kind
