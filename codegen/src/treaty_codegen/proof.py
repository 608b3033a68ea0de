"""Proof: a real value, its real bytes, and what the other side makes of them.

Two kinds. A *meaning* proof takes one value of the old type and reads its bytes with the new type as Avro Java and every
registry would: the reader's logical type laid over the writer's raw number. (Our own codec converts or refuses, so a test in
Python alone would hide the damage.) An *unreadable* proof quotes the reader's own refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from treaty_avro import (
    AvroError,
    Enum,
    Incompatibility,
    Logical,
    Primitive,
    Schema,
    Type,
    compile_generic,
    parse,
)
from treaty_codegen.finding import Proof

INSTANT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
EARLY = datetime(1970, 1, 2, 3, 4, 5, tzinfo=UTC)


def prove_meaning(old: Type, new: Type, *, writer: str, reader: str) -> Proof | None:
    """The smallest value of ``old`` that ``new`` takes for another one; None if none of the candidates shows it."""
    old_schema, new_schema = schema_of(old), schema_of(new)
    if old_schema is None or new_schema is None or carrier(old) != carrier(new):
        return None
    encode, _ = compile_generic(old_schema)
    _, decode = compile_generic(new_schema)
    refused = None
    for value in candidates(old):
        try:
            data = encode(value)
        except AvroError:
            continue
        proof = outcome(value, data, decode, writer=writer, reader=reader)
        if proof is not None and proof.error is None:
            return proof
        refused = refused or proof  # a value taken for another one shows more than a refusal
    return refused


def outcome(value: object, data: bytes, decode: Callable[[bytes], object], *, writer: str, reader: str) -> Proof | None:
    """A proof if the other side sees something else, or fails."""
    hex_ = data.hex(" ")
    try:
        seen = decode(data)
    except AvroError as error:
        return Proof(
            value=show(value), hex=hex_, writer=writer, reader=reader, error=getattr(error, "reason", str(error))
        )
    if seen == value and type(seen) is type(value):
        return None
    return Proof(value=show(value), hex=hex_, writer=writer, reader=reader, read_as=show(seen))


def prove_unreadable(found: Incompatibility, *, writer: str, reader: str) -> Proof | None:
    """A value that the writer may send and the reader refuses: the bytes of a symbol, or of a primitive; None for the rest."""
    refusal = f"{reader} does not know it"
    if found.type == "MISSING_ENUM_SYMBOLS" and isinstance(found.writer, Enum):
        symbol = found.message.strip("[]").split(", ")[0]
        number = found.writer.symbols.index(symbol)
        return Proof(value=symbol, hex=varint(number).hex(" "), writer=writer, reader=reader, error=refusal)
    schema = schema_of(found.writer)
    if found.type not in {"TYPE_MISMATCH", "MISSING_UNION_BRANCH"} or schema is None:
        return None
    encode, _ = compile_generic(schema)
    value = next(candidates(found.writer), None)
    refusal = f"{reader} expects {found.reader.kind}"
    return Proof(value=show(value), hex=encode(value).hex(" "), writer=writer, reader=reader, error=refusal)


def varint(number: int) -> bytes:
    """A non-negative int as Avro writes it (zigzag, seven bits a byte)."""
    encode, _ = compile_generic(parse('"int"'))
    return encode(number)


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
        "timestamp-millis": (INSTANT, EARLY),
        "timestamp-micros": (INSTANT, EARLY),
        "local-timestamp-millis": (INSTANT.replace(tzinfo=None), EARLY.replace(tzinfo=None)),
        "local-timestamp-micros": (INSTANT.replace(tzinfo=None), EARLY.replace(tzinfo=None)),
    }.get(logical, ())
    yield from {
        "null": (None,),
        "boolean": (True,),
        "int": (1, -1, 2**31 - 1),
        "long": (1, -1, 2**53 + 1),
        "float": (1.5,),
        "double": (1.5, 1e300),
        "string": ("2024-01-02", "é"),
        "bytes": (b"\x04\xd2", b"\xff\xfe"),
    }.get(type_.kind if not logical else "", ())


def show(value: object) -> str:
    """A value as people read it; instants in UTC with a Z."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"bytes {value.hex(' ')}" if value else "empty bytes"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)
