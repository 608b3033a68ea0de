"""Proof: a real value, its real bytes, and what the other side makes of them.

Two kinds. A *meaning* proof takes one value of the writer and reads its bytes as Avro Java and every registry would: the
reader's logical type laid over the writer's raw number. (Our own codec converts or refuses, so a test in Python alone
would hide the damage.) An *unreadable* proof quotes the reader's own refusal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from treaty_avro import (
    AvroError,
    EncodeError,
    Enum,
    Fixed,
    Incompatibility,
    Primitive,
    Schema,
    Type,
    Union,
    compile_generic,
    example,
    parse,
    to_json,
)
from treaty_codegen.diff import describe
from treaty_codegen.finding import Proof

INSTANT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
TRIES = 200
"""Values that are tried before a finding says that none is read otherwise."""
SHOWN_MOST = 80
"""Characters, and bytes, of a value that is still shown."""
EARLY = datetime(1970, 1, 2, 3, 4, 5, tzinfo=UTC)


def prove_meaning(
    written: Type, read: Type, *, writer: str, reader: str, values: Iterable[Any] | None = None
) -> Proof | None:
    """The smallest value of ``written`` that ``read`` takes for another one; None if no candidate shows it.

    ``values`` are tried instead of the edges of the type. A value that is taken for another one is preferred to one that
    is refused: it shows more.
    """
    own, raw, other = schema_of(written), schema_of(written, logical=False), schema_of(read)
    if own is None or raw is None or other is None:
        return None
    try:
        (encode, _), (_, decode) = compile_generic(own), compile_generic(other, raw)
    except AvroError:
        return None
    refused = None
    for value in tried(written, own) if values is None else values:
        try:
            data = encode(value)
        except EncodeError:
            continue
        proof = outcome(value, data, decode, writer=writer, reader=reader)
        if proof is not None and proof.error is None:
            return replace(proof, python=in_python(data, own, other, seen=proof.read_as))
        refused = refused or proof
    return refused


def tried(written: Type, own: Schema) -> Iterator[Any]:
    """Up to ``TRIES`` values: the edges of the type, then made-up ones."""
    edges = list(candidates(written))
    yield from edges
    yield from (example(own, seed=seed) for seed in range(TRIES - len(edges)))


def in_python(data: bytes, own: Schema, other: Schema, *, seen: str | None) -> str | None:
    """What our own codec makes of the bytes with the whole writer schema; None where it is fooled like everybody."""
    try:
        _, decode = compile_generic(other, own)
        shown = show(decode(data))
    except AvroError:
        return "refused"
    return None if shown == seen else shown


def outcome(value: Any, data: bytes, decode: Callable[[bytes], Any], *, writer: str, reader: str) -> Proof | None:
    """What one value turns into; None if it stays what it was."""
    hex_ = data.hex(" ")
    try:
        seen = decode(data)
    except AvroError as error:
        reason = getattr(error, "reason", str(error))
        return Proof(value=show(value), hex=hex_, writer=writer, reader=reader, error=reason)
    if seen == value and type(seen) is type(value):
        return None
    return Proof(value=show(value), hex=hex_, writer=writer, reader=reader, read_as=show(seen))


def prove_unit(type_: Type, before: str, after: str, *, writer: str, reader: str) -> Proof | None:
    """The same number in two units; None for types that are no numbers."""
    schema = schema_of(type_)
    if schema is None:
        return None
    encode, _ = compile_generic(schema)
    for value in (1290, 12.5, Decimal("12.34"), Decimal(12)):
        try:
            data = encode(value)
        except EncodeError:
            continue
        shown = show(value)
        return Proof(
            value=f"{shown} {before}",
            hex=data.hex(" "),
            writer=writer,
            reader=reader,
            read_as=f"{shown} {after}" if after else f"{shown} of no unit",
        )
    return None


def prove_default(before: str, after: str, *, writer: str, reader: str) -> Proof:
    """A record of a writer that lacks the field: no byte of it, and a value all the same. Defaults are JSON texts."""
    value = f"a record without it, {before} so far"
    return Proof(value=value, hex="", writer=writer, reader=reader, read_as=after)


def prove_later_symbol(old: Enum, new: Enum, *, reader: str) -> Proof:
    """A symbol that a later writer adds behind those of both sides: its number has no symbol here, and the default counts."""
    data = varint(len({*old.symbols, *new.symbols}))
    value = f"a symbol added later, {old.default} so far"
    seen = {"read_as": new.default} if new.default else {"error": f"{reader} has no default symbol"}
    return Proof(value=value, hex=data.hex(" "), writer="a later schema", reader=reader, **seen)


def prove_unreadable(found: Incompatibility, *, writer: str, reader: str) -> Proof | None:
    """A value that the writer may send and the reader refuses; None where the smallest one is too large to be shown."""
    if found.type == "MISSING_ENUM_SYMBOLS" and isinstance(found.writer, Enum):
        symbol = found.message.strip("[]").split(", ")[0]
        data = varint(found.writer.symbols.index(symbol))
        refusal = f"{reader} does not know it"
        return Proof(value=symbol, hex=data.hex(" "), writer=writer, reader=reader, error=refusal)
    written, before, last = found.writer, b"", found.location.rpartition("/")[2]
    if found.type in {"MISSING_UNION_BRANCH", "TYPE_MISMATCH"} and last.isdigit():
        # The last step is then the number of the writer's branch, which stands before the value.
        before = varint(int(last))
        written = written.branches[int(last)] if isinstance(written, Union) else written
    smallest = smallest_of(written)
    if smallest is None:
        return None
    value, data = smallest
    return Proof(
        value=value, hex=(before + data).hex(" "), writer=writer, reader=reader, error=refusal_of(found, reader)
    )


def refusal_of(found: Incompatibility, reader: str) -> str:
    if found.type == "READER_FIELD_MISSING_DEFAULT_VALUE":
        return f"{reader} finds no value for `{found.message}` and has no default"
    if found.type == "FIXED_SIZE_MISMATCH" and isinstance(found.reader, Fixed):
        return f"{reader} takes {found.reader.size} bytes"
    return f"{reader} expects {describe(found.reader)}"


def smallest_of(type_: Type) -> tuple[str, bytes] | None:
    """The smallest value of a type as text, and its bytes; None where there is none or it is longer than a line."""
    own = schema_of(type_)
    try:
        if own is not None:
            value = next(iter(candidates(type_)))
            shown = show(value)
        else:
            own = Schema(root=type_, named={}, text="")
            value = example(own, seed=0)
            shown = to_json(value, own, style="plain")
        encode, _ = compile_generic(own)
        data = encode(value)
    except (AvroError, StopIteration):
        return None
    return (shown, data) if len(shown) <= SHOWN_MOST and len(data) <= SHOWN_MOST else None


def varint(number: int) -> bytes:
    """A non-negative int as Avro writes it (zigzag, seven bits a byte)."""
    encode, _ = compile_generic(parse('"int"'))
    return encode(number)


def schema_of(type_: Type, *, logical: bool = True) -> Schema | None:
    """A schema of one primitive or fixed alone; None for other types (their damage shows in what they hold)."""
    body: dict[str, Any]
    if isinstance(type_, Primitive):
        body = {"type": type_.kind}
    elif isinstance(type_, Fixed):
        body = {"type": "fixed", "name": type_.name.simple, "size": type_.size}
    else:
        return None
    if logical and type_.logical is not None:
        body["logicalType"] = type_.logical.kind
        if type_.logical.kind == "decimal":
            body |= {"precision": type_.logical.precision, "scale": type_.logical.scale}
    return parse(json.dumps(body), rules="stored")


def candidates(type_: Type) -> Iterator[Any]:
    """Values at the edges of a type, smallest first."""
    logical = type_.logical.kind if type_.logical else ""
    known: dict[str, tuple[Any, ...]] = {
        "decimal": (Decimal("12.34"), Decimal(1), Decimal("0.5"), Decimal(123)),
        "uuid": (UUID("00000000-0000-4000-8000-000000000001"),),
        "duration": ((1, 2, 3),),
        "date": (date(2024, 1, 2),),
        "time-millis": (time(3, 4, 5),),
        "time-micros": (time(3, 4, 5),),
        "timestamp-millis": (INSTANT, EARLY),
        "timestamp-micros": (INSTANT, EARLY),
        "local-timestamp-millis": (INSTANT.replace(tzinfo=None), EARLY.replace(tzinfo=None)),
        "local-timestamp-micros": (INSTANT.replace(tzinfo=None), EARLY.replace(tzinfo=None)),
    }
    plain: dict[str, tuple[Any, ...]] = {
        "null": (None,),
        "boolean": (True,),
        "int": (1, -1, 2**31 - 1),
        "long": (1, -1, 2**53 + 1),
        "float": (1.5,),
        "double": (1.5, 1e300),
        "string": ("2024-01-02", "é"),
        "bytes": (b"\x04\xd2", b"\xff\xfe"),
    }
    fixed = (bytes(range(1, type_.size + 1)),) if isinstance(type_, Fixed) and type_.size < 64 else ()
    yield from known.get(logical) or plain.get(type_.kind) or fixed


def show(value: object) -> str:
    """A value as people read it; instants in UTC with a Z."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"bytes {value.hex(' ')}" if value else "empty bytes"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, tuple):
        return "{} months, {} days, {} ms".format(*value)
    return str(value)
