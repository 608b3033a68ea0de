"""A recorded value as another schema tells it, worked out on JSON alone: what the codec's answer is held against.

Law: nothing here uses the codec or its resolution. Where the rules leave room (a changed meaning, two named branches that both
take the value) there is no answer rather than a guess.
Source: Apache Avro 1.12 specification, "Schema Resolution" and "JSON Encoding".
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from treaty_avro import MISSING, Array, Enum, Field, Fixed, Map, Named, Primitive, Record, Type, Union
from treaty_codegen.diff import PROMOTIONS

Json: TypeAlias = Any
NOT_FINITE: Final = ("NaN", "Infinity", "-Infinity")
INTS: Final = (-(2**31), 2**31 - 1)


class NotCarried(ValueError):
    """The rules give no value, or none that is beyond doubt."""


def carried(value: Json, writer: Type, reader: Type) -> Json:
    """Avro's JSON of what ``reader`` makes of a value of ``writer``, itself in Avro's JSON. Raises ``NotCarried``."""
    if isinstance(writer, Union):
        branch, inner = branch_of(writer, value)
        return carried(inner, branch, reader)
    if isinstance(reader, Union):
        return chosen(value, writer, reader)
    if means_otherwise(writer, reader):
        raise NotCarried("the meaning changed")
    match writer, reader:
        case Record(), Record() if is_named_alike(writer, reader):
            return {field.name: field_of(value, writer, field) for field in reader.fields}
        case Enum(), Enum() if is_named_alike(writer, reader):
            return symbol(value, reader)
        case Fixed(), Fixed() if is_named_alike(writer, reader) and writer.size == reader.size:
            return value
        case Array(), Array():
            return [carried(item, writer.items, reader.items) for item in value]
        case Map(), Map():
            return {key: carried(item, writer.values, reader.values) for key, item in value.items()}
        case Primitive(), Primitive():
            return promoted(value, writer.kind, reader.kind)
    raise NotCarried(f"{writer.kind} is not read as {reader.kind}")


def means_otherwise(writer: Type, reader: Type) -> bool:
    """Whether the same raw value would say something else; a decimal's precision says only how many there may be."""
    old, new = writer.logical, reader.logical
    return old is not None and new is not None and (old.kind, old.scale) != (new.kind, new.scale)


def is_equal(one: Json, other: Json) -> bool:
    """Whether two values in Avro's JSON are one: 0.0 is neither 0 nor -0.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def is_named_alike(writer: Named, reader: Named) -> bool:
    return writer.name.simple == reader.name.simple or writer.name in reader.aliases


def branch_of(union: Union, value: Json) -> tuple[Type, Json]:
    """The branch of a value in Avro's JSON, and the value within."""
    ((name, inner),) = [("null", None)] if value is None else value.items()
    return next((branch, inner) for branch in union.branches if name_of(branch) == name)


def name_of(branch: Type) -> str:
    return branch.name.full if isinstance(branch, Record | Enum | Fixed) else branch.kind


def chosen(value: Json, writer: Type, reader: Union) -> Json:
    """The value under the name of the branch that takes it: the writer's own type first, then the reader's order."""
    # Asked before any is looked into: records that hold such unions again would double at every level.
    if sum(may_be_named(writer, branch) for branch in reader.branches) > 1:
        raise NotCarried("more than one branch may take it")
    for branch in sorted(reader.branches, key=lambda branch: distance(writer, branch)):
        try:
            told = carried(value, writer, branch)
        except NotCarried:
            continue
        return None if branch.kind == "null" else {name_of(branch): told}
    raise NotCarried("no branch takes it")


def may_be_named(writer: Type, branch: Type) -> bool:
    """Whether a branch is a named type that goes by the writer's name."""
    if not isinstance(writer, Record | Enum | Fixed) or not isinstance(branch, Record | Enum | Fixed):
        return False
    return writer.kind == branch.kind and is_named_alike(writer, branch)


def distance(writer: Type, branch: Type) -> int:
    return 0 if name_of(writer) == name_of(branch) else 1


def field_of(value: dict[str, Json], writer: Record, reader: Field) -> Json:
    """One field of the reader: what the writer has under its name or an alias, else its default."""
    types = {field.name: field.type for field in writer.fields}
    name = next((name for name in (reader.name, *reader.aliases) if name in types), None)
    if name is not None:
        return carried(value[name], types[name], reader.type)
    if reader.default is MISSING:
        raise NotCarried(f"{reader.name} is not written and has no default")
    return default(reader.default, reader.type)


def symbol(value: str, reader: Enum) -> str:
    if value in reader.symbols:
        return value
    if reader.default is None:
        raise NotCarried(f"{value} is no symbol of {reader.name.full}")
    return reader.default


def promoted(value: Json, writer: str, reader: str) -> Json:
    """A primitive as itself, or as a wider one."""
    if writer == reader:
        return value
    if reader not in PROMOTIONS.get(writer, ()):
        raise NotCarried(f"{writer} is not read as {reader}")
    if reader == "bytes":
        return value.encode().decode("latin-1")
    if reader == "string":
        try:
            return value.encode("latin-1").decode()
        except UnicodeDecodeError:
            raise NotCarried("these bytes are no text") from None
    return floating(value, reader) if reader in ("float", "double") else value


def floating(value: Json, kind: str) -> Json:
    """A number as float or double; those that are none are texts in JSON. Raises ``NotCarried`` beyond the range."""
    if value in NOT_FINITE:
        return value
    if kind == "float" and isinstance(value, int) and abs(value) > 2**53:
        raise NotCarried("it would be rounded twice")
    try:
        number = float(value)
        number = struct.unpack("<f", struct.pack("<f", number))[0] if kind == "float" else number
    except OverflowError:
        raise NotCarried(f"it is beyond the range of {kind}") from None
    return number if math.isfinite(number) else not_finite(number)


def not_finite(number: float) -> str:
    """The text of a number that has no digits."""
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def default(value: Json, type_: Type) -> Json:
    """A default, which schemas write without a union's names, in Avro's JSON. Raises ``NotCarried`` where none fits."""
    match type_:
        case Union():
            return next(defaults(value, type_))
        case Record():
            require(value, dict)
            return {field.name: part(value, field) for field in type_.fields}
        case Array():
            return [default(item, type_.items) for item in require(value, list)]
        case Map():
            return {key: default(item, type_.values) for key, item in require(value, dict).items()}
        case Enum():
            return symbol(require(value, str), type_)
        case Fixed():
            return require(value, str)
        case Primitive():
            return plain(value, type_.kind)


def defaults(value: Json, union: Union) -> Iterator[Json]:
    """What each branch that fits makes of a default; raises ``NotCarried`` after the last."""
    for branch in union.branches:
        try:
            told = default(value, branch)
        except NotCarried:
            continue
        yield None if branch.kind == "null" else {name_of(branch): told}
    raise NotCarried("no branch fits the default")


def part(value: dict[str, Json], field: Field) -> Json:
    given = value.get(field.name, field.default)
    if given is MISSING:
        raise NotCarried(f"the default has no {field.name}")
    return default(given, field.type)


def plain(value: Any, kind: str) -> Json:
    """A primitive's default."""
    if kind in ("float", "double") and isinstance(value, int | float) and not isinstance(value, bool):
        return floating(value, kind)
    wanted = {"null": type(None), "boolean": bool, "int": int, "long": int}.get(kind, str)
    fits: bool = type(value) is wanted  # not isinstance: True is no 1
    if not fits:
        raise NotCarried(f"{value!r} is no {kind}")
    if kind == "int" and not INTS[0] <= value <= INTS[1]:
        raise NotCarried(f"{value!r} is no int")
    return value


def require(value: Json, kind: type) -> Any:
    if not isinstance(value, kind):
        raise NotCarried(f"{value!r} is no {kind.__name__}")
    return value
