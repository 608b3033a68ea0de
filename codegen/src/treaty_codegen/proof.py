"""Proof: a real value, its real bytes, and what the other side makes of them.

Two kinds. A *meaning* proof takes one value of the old type and reads its bytes with the new type as Avro Java and every
registry would: the reader's logical type laid over the writer's raw number. (Our own codec converts or refuses, so a test in
Python alone would hide the damage.) An *unreadable* proof quotes the reader's own refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from treaty_avro import (
    AvroError,
    Incompatibility,
    Logical,
    Primitive,
    ResolutionError,
    Schema,
    Type,
    compile_generic,
    parse,
    resolve,
)
from treaty_codegen.finding import Proof

INSTANT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def prove_meaning(old: Type, new: Type, *, writer: str, reader: str) -> Proof | None:
    """The smallest value of ``old`` that ``new`` takes for another one; None if none of the candidates shows it."""
    old_schema, new_schema = schema_of(old), schema_of(new)
    if old_schema is None or new_schema is None or carrier(old) != carrier(new):
        return None
    encode, _ = compile_generic(old_schema)
    _, decode = compile_generic(new_schema)
    for value in candidates(old):
        try:
            data = encode(value)
        except AvroError:
            continue
        proof = outcome(value, data, decode, old, new, writer=writer, reader=reader)
        if proof is not None:
            return proof
    return None


def outcome(
    value: object, data: bytes, decode: Callable[[bytes], object], old: Type, new: Type, *, writer: str, reader: str
) -> Proof | None:
    """A proof if the other side sees something else, or fails."""
    hex_ = data.hex(" ")
    try:
        seen = decode(data)
    except AvroError as error:
        return Proof(
            value=show(value, old), hex=hex_, writer=writer, reader=reader, error=getattr(error, "reason", str(error))
        )
    if seen == value and type(seen) is type(value):
        return None
    return Proof(value=show(value, old), hex=hex_, writer=writer, reader=reader, read_as=show(seen, new))


def prove_unreadable(
    old: Schema, new: Schema, *, direction: Literal["backward", "forward"], path: str, found: Incompatibility
) -> Proof | None:
    """The reader's refusal of this writer, if resolution refuses at once; data-dependent refusals name the symbol or branch."""
    reader, writer = (new, old) if direction == "backward" else (old, new)
    try:
        resolve(writer, reader)
    except ResolutionError as error:
        return Proof(
            value=f"any record with `{path or '/'}`",
            hex="",
            writer=side(old, new, writer),
            reader=side(old, new, reader),
            error=str(error),
        )
    except AvroError:
        return None
    return Proof(
        value=found.message,
        hex="",
        writer=side(old, new, writer),
        reader=side(old, new, reader),
        error="unknown to the reader",
    )


def side(old: Schema, _new: Schema, schema: Schema) -> str:
    return "old" if schema is old else "new"


def carrier(type_: Type) -> str:
    """What stands in the bytes: int and long are written alike, string and bytes too."""
    return {"int": "long", "string": "bytes"}.get(type_.kind, type_.kind)


def schema_of(type_: Type) -> Schema | None:
    """A schema of one primitive alone; None for other types (their damage shows in what they hold)."""
    if not isinstance(type_, Primitive):
        return None
    return parse(json_of(type_.kind, type_.logical), rules="stored")


def json_of(kind: str, logical: Logical | None) -> str:
    if logical is None:
        return f'"{kind}"'
    extra = f', "precision": {logical.precision}, "scale": {logical.scale}' if logical.kind == "decimal" else ""
    return f'{{"type": "{kind}", "logicalType": "{logical.kind}"{extra}}}'


def candidates(type_: Type) -> Iterator[Any]:
    """Values at the edges of a type, smallest first."""
    logical = type_.logical.kind if type_.logical else ""
    yield from {
        "decimal": (Decimal("12.34"), Decimal(1), Decimal("0.5"), Decimal(123)),
        "uuid": (UUID("00000000-0000-4000-8000-000000000001"),),
        "date": (date(2024, 1, 2),),
        "time-millis": (time(3, 4, 5),),
        "time-micros": (time(3, 4, 5),),
        "timestamp-millis": (INSTANT,),
        "timestamp-micros": (INSTANT,),
        "local-timestamp-millis": (INSTANT.replace(tzinfo=None),),
        "local-timestamp-micros": (INSTANT.replace(tzinfo=None),),
    }.get(logical, ())
    yield from {
        "int": (1, -1, 2**31 - 1),
        "long": (1, -1, 2**53 + 1),
        "float": (1.5,),
        "double": (1.5, 1e300),
        "string": ("2024-01-02", "é"),
        "bytes": (b"\x04\xd2", b"\xff\xfe"),
    }.get(type_.kind if not logical else "", ())


def show(value: object, type_: Type) -> str:
    """A value as people read it; instants in UTC with a Z."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"bytes {value.hex(' ')}" if value else "empty bytes"
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value} (no unit)" if type_.logical is None and isinstance(value, int) else str(value)
