"""Proofs against another implementation: the bytes are what fastavro writes, and what it reads from them is what is shown."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pytest

from tests.treaty_codegen.change_row import Row
from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import MICROS, MILLIS, event, topics
from treaty_avro import parse
from treaty_codegen import load_catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.finding import Finding
from treaty_codegen.old_set import old_set
from treaty_codegen.proof import candidates, prove_meaning, prove_unit, schema_of, show

MEANING = {"logical-type-changed", "decimal-scale-changed", "decimal-precision-shrunk"}


def raw(type_: Any) -> Any:
    """A type without its logical type: what stands in the bytes."""
    return (
        {k: v for k, v in type_.items() if k not in {"logicalType", "precision", "scale"}}
        if isinstance(type_, dict)
        else type_
    )


def write(type_: Any, value: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(type_), value)
    return out.getvalue()


def read(data: bytes, writer: Any, reader: Any) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(data), fastavro.parse_schema(writer), fastavro.parse_schema(reader))


def proofs(change: Row) -> list[Finding]:
    old = load_catalog(event(change.old), topics=topics(change.level))
    new = load_catalog(event(change.new), topics=topics(change.level))
    return [row for row in breaking(new, [old_set(old, label="release 1.0.0")]) if row.proof is not None]


def plain(change: Row) -> tuple[Any, Any] | None:
    """Old and new type of the changed field, where they are primitives or fixed types."""
    old, new = change.old[-1]["type"], change.new[-1]["type"]
    is_plain = all(
        isinstance(each, str) or each.get("type") in {"int", "long", "string", "bytes", "fixed"}
        for each in (old, new)
        if not isinstance(each, list)
    )
    return (old, new) if is_plain and not isinstance(old, list) and not isinstance(new, list) else None


PLAIN = [(change, found) for change in rows() if plain(change) for found in proofs(change) if found.rule in MEANING]


@pytest.mark.parametrize(("change", "found"), PLAIN, ids=lambda value: getattr(value, "title", ""))
def test_the_shown_bytes_are_what_another_implementation_reads_as_shown(change: Row, found: Finding) -> None:
    both, proof = plain(change), found.proof
    assert both is not None
    assert proof is not None
    old, new = both if proof.writer != "the new schema" else both[::-1]
    data = bytes.fromhex(proof.hex)
    written = read(data, old, old)
    assert write(old, written) == data
    assert Decimal(proof.value) == written if isinstance(written, Decimal) else show(written) == proof.value
    if proof.read_as is not None:
        # The reader's logical type over the writer's raw number, as Avro Java does it.
        assert show(parsed(read(data, raw(old), raw(new)), new)) == proof.read_as


def parsed(value: Any, type_: Any) -> Any:
    """A raw value under a logical type, by fastavro: written without it, read with it."""
    return read(write(raw(type_), value), type_, type_)


def test_there_are_proofs_to_look_at() -> None:
    assert len(PLAIN) >= 12
    assert {found.rule for _, found in PLAIN} == MEANING


@pytest.mark.parametrize(
    ("writer", "reader", "value", "hex_", "seen"),
    [
        ("int", "float", 16777217, "82 80 80 10", "16777216.0"),
        ("long", "float", 16777217, "82 80 80 10", "16777216.0"),
        ("long", "double", 9007199254740993, "82 80 80 80 80 80 80 20", "9007199254740992.0"),
    ],
)
def test_a_promotion_loses_what_it_says(writer: str, reader: str, value: int, hex_: str, seen: str) -> None:
    types = (parse(json.dumps(each)).root for each in (writer, reader))
    proof = prove_meaning(*types, writer="w", reader="r", values=(value,))
    assert proof is not None
    assert (proof.hex, proof.read_as) == (hex_, seen)
    assert write(writer, value).hex(" ") == hex_
    as_double = read(bytes.fromhex(hex_), writer, reader)
    nearest = io.BytesIO()
    fastavro.schemaless_writer(nearest, fastavro.parse_schema(reader), as_double)
    assert str(fastavro.schemaless_reader(io.BytesIO(nearest.getvalue()), fastavro.parse_schema(reader), None)) == seen


def test_bytes_that_are_no_text_are_refused_by_both() -> None:
    proof = prove_meaning(parse('"bytes"').root, parse('"string"').root, writer="w", reader="r", values=(b"\xff\xfe",))
    assert proof is not None
    assert (proof.value, proof.hex, proof.error) == ("bytes ff fe", "04 ff fe", "the text is not UTF-8")
    with pytest.raises(UnicodeDecodeError):
        read(bytes.fromhex(proof.hex), "string", "string")


def test_values_that_do_not_differ_prove_nothing() -> None:
    for one, other in (("int", "long"), ("int", "double"), ("string", "bytes")):
        proof = prove_meaning(parse(f'"{one}"').root, parse(f'"{other}"').root, writer="w", reader="r", values=(1,))
        assert proof is None or one == "int", "a number stays the number"
    assert prove_meaning(parse('"int"').root, parse('"long"').root, writer="w", reader="r") is None
    nanos = parse('{"type": "long", "logicalType": "timestamp-nanos"}').root
    assert prove_meaning(nanos, parse('"long"').root, writer="w", reader="r") is None


def test_types_without_a_value_of_their_own_prove_nothing() -> None:
    array = parse('{"type": "array", "items": "int"}').root
    assert schema_of(array) is None
    assert prove_meaning(array, array, writer="w", reader="r") is None
    assert prove_unit(array, "s", "ms", writer="w", reader="r") is None


def test_the_classic_damage() -> None:
    def proof(old: Any, new: Any) -> str:
        return str(prove_meaning(parse(json.dumps(old)).root, parse(json.dumps(new)).root, writer="w", reader="r"))

    money = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
    assert proof(money, money | {"scale": 4}) == "12.34 → bytes 04 04 d2 → read as 0.1234"
    assert proof(MILLIS, MICROS).endswith("→ read as 1970-01-20T17:22:44.645000Z")
    assert proof(money | {"precision": 4}, "bytes") == "12.34 → bytes 04 04 d2 → read as bytes 04 d2"


@pytest.mark.parametrize(
    "rule",
    [
        "type-changed",
        "union-branch-missing",
        "enum-symbol-missing",
        "name-changed",
        "fixed-size-changed",
        "reader-field-without-default",
    ],
)
def test_a_refusal_shows_bytes_that_the_writer_really_sends(rule: str) -> None:
    """The bytes are the field's own: within the whole record of the writer they follow those of ``id``."""
    looked = 0
    for change in rows():
        for found in proofs(change):
            if found.rule != rule or found.proof is None or found.proof.error is None:
                continue
            fields = change.old if found.proof.writer == "the old schema" else change.new
            schema = fastavro.parse_schema(json.loads(next(iter(event(fields).values()))))
            data, looked = bytes.fromhex(found.proof.hex), looked + 1
            within = data if rule == "reader-field-without-default" else b"\x00" + data
            out = io.BytesIO(within + b"\x00" * 8)
            fastavro.schemaless_reader(out, schema, None)
            assert rule in {"reader-field-without-default", "enum-symbol-missing"} or out.tell() >= len(within), (
                change.title
            )
    assert looked


def test_values_are_shown_as_people_write_them() -> None:
    shown = [show(value) for value in (None, True, 7, 1.5, "é", b"", b"\xff", Decimal("1.20"), (1, 2, 3))]
    assert shown == ["null", "true", "7", "1.5", '"é"', "empty bytes", "bytes ff", "1.20", "1 months, 2 days, 3 ms"]
    assert show(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2024-01-02T03:04:05Z"
    assert show(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"


def test_every_primitive_and_logical_type_has_candidates() -> None:
    for text in (
        '"null"',
        '"boolean"',
        '"int"',
        '"long"',
        '"float"',
        '"double"',
        '"string"',
        '"bytes"',
        json.dumps(MICROS),
    ):
        assert list(candidates(parse(text).root)), text
