"""Texts of schemas: Java's, Confluent's normalized one, and the Parsing Canonical Form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.treaty_avro.java import ACCEPTED, field, record
from treaty_avro import (
    SchemaError,
    SchemaLimit,
    canonical_text,
    fingerprint64,
    inlined_text,
    normalized_text,
    parse,
    parsing_canonical_form,
)
from treaty_avro.text.javajson import double, value


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["text"][:60])
def test_texts_and_fingerprints_are_those_of_avro_java(case: dict[str, Any]) -> None:
    schema = parse(case["text"])
    assert canonical_text(schema) == case["canonical"]
    assert parsing_canonical_form(schema) == case["pcf"]
    assert fingerprint64(schema) == case["fingerprint64"]


# Java writes an alias without namespace so that it reads back with one.
STABLE = [case for case in ACCEPTED if not {".C", ".D"} & set(case["text"].split('"'))]


@pytest.mark.parametrize("case", STABLE, ids=lambda case: case["text"][:60])
def test_both_texts_are_fixed_points(case: dict[str, Any]) -> None:
    schema = parse(case["text"])
    canonical = canonical_text(schema)
    assert canonical_text(parse(canonical)) == canonical
    if '"namespace":""' in canonical:
        return  # normalizing moves the type: see the tests of that below
    normalized = normalized_text(schema)
    assert normalized_text(parse(normalized)) == normalized
    assert parsing_canonical_form(parse(canonical)) == parsing_canonical_form(schema)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (100.0, "100.0"), (0.001, "0.001"), (9.99e-4, "9.99E-4"),
        (9999999.0, "9999999.0"), (1e7, "1.0E7"), (1.5e-5, "1.5E-5"), (1e10, "1.0E10"), (123456.789, "123456.789"),
        (-1.25, "-1.25"), (5e-324, "4.9E-324"), (1.7976931348623157e308, "1.7976931348623157E308"),
        (float("nan"), '"NaN"'), (float("-inf"), '"-Infinity"'),
    ],
)  # fmt: skip
def test_numbers_read_as_java_writes_them(number: float, text: str) -> None:
    assert double(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_reads_back_as_itself(number: float) -> None:
    assert json.loads(double(number)) == number


def test_strings_escape_what_jackson_escapes() -> None:
    assert value('"\\\b\t\n\f\r\x00\x1f\x7f\u2028/é') == '"\\"\\\\\\b\\t\\n\\f\\r\\u0000\\u001F\x7f\u2028/é"'


def test_types_of_references_stay_names_and_can_be_inlined() -> None:
    line = parse(record({"name": "sku", "type": {"type": "fixed", "name": "Sku", "size": 1}}, name="shop.Line"))
    order = parse(
        record({"name": "a", "type": "shop.Line"}, {"name": "b", "type": "shop.Line"}, name="mall.Order"),
        references=[line],
    )
    definition = (
        '{"type":"record","name":"Line","namespace":"shop","fields":[{"name":"sku","type":'
        '{"type":"fixed","name":"Sku","size":1}}]}'
    )
    text = '{"type":"record","name":"Order","namespace":"mall","fields":[{"name":"a","type":%s},{"name":"b","type":"shop.Line"}]}'
    assert canonical_text(order) == text % '"shop.Line"'
    assert normalized_text(order) == text % '"shop.Line"'
    assert inlined_text(order) == text % definition
    assert parse(inlined_text(order)) == order
    assert canonical_text(parse(canonical_text(order), references=[line])) == canonical_text(order)


def test_a_type_nested_in_a_reference_is_defined_where_it_is_used() -> None:
    line = parse(record({"name": "sku", "type": {"type": "fixed", "name": "Sku", "size": 1}}, name="a.Line"))
    text = canonical_text(parse(record({"name": "s", "type": "Sku"}), references=[line]))
    assert '{"type":"fixed","name":"Sku","size":1}' in text
    assert canonical_text(parse(text, references=[line])) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (field("int", b=1, a=2), field("int", a=2, b=1)),
        (field("int", p={"b": 1, "a": 2}), field("int", p={"a": 2, "b": 1})),
        (field("double", default=0), field("double", default=0.0)),
        (field("float", default=1), field("float", default="1")),
        (field("float", default=0.10000000149011612), field("float", default=0.1)),
        (field(["null", "double"], default=3), field(["null", "double"], default=3.0)),
        (field("int", aliases=["b", "a"]), field("int", aliases=["a", "b"])),
        (record(aliases=["B", "a.A"]), record(aliases=["A", "a.B"])),
        (record(doc=""), record()),
        (record(), record(name="R", namespace="a")),
        (field({"type": "map", "values": "int"}, default={"b": 1, "a": 2}),
         field({"type": "map", "values": "int"}, default={"a": 2, "b": 1})),
        (field({"type": "bytes", "precision": 4, "logicalType": "decimal"}),
         field({"type": "bytes", "logicalType": "decimal", "precision": 4})),
        (field({"type": "bytes", "zz": 1, "logicalType": "big-decimal"}),
         field({"type": "bytes", "logicalType": "big-decimal", "zz": 1})),
        (record().replace('"record"', '"error"'), record()),
    ],
)  # fmt: skip
def test_what_differs_only_in_spelling_has_one_normalized_text(one: str, other: str) -> None:
    assert one != other
    assert normalized_text(parse(one)) == normalized_text(parse(other))


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        (field("int", doc=""), '{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":"int","doc":""}]}'),
        (field({"type": "bytes", "scale": 0, "a": 1, "logicalType": "decimal", "precision": 4}),
         ('{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":'
         '{"type":"bytes","logicalType":"decimal","precision":4,"a":1,"scale":0}}]}')),
        (field({"type": "fixed", "name": "F", "namespace": "", "size": 1}),
         '{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":{"type":"fixed","name":"F","size":1}}]}'),
        (field("bytes", default="\u0100\u00ff"),
         '{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":"bytes","default":"?\u00ff"}]}'),
    ],
)  # fmt: skip
def test_the_normalized_text_keeps_confluents_habits(text: str, normalized: str) -> None:
    assert normalized_text(parse(text)) == normalized


def test_a_type_that_normalizing_moves_away_from_its_other_uses_is_refused() -> None:
    inner = record({"name": "y", "type": {"type": "fixed", "name": "F", "namespace": "", "size": 1}}, name="b.B")
    schema = parse(record({"name": "x", "type": json.loads(inner)}, {"name": "z", "type": "F"}))
    with pytest.raises(SchemaError, match="give it a namespace"):
        normalized_text(schema)


def test_a_default_that_fits_no_type_is_dropped_by_normalizing() -> None:
    assert '"default"' not in normalized_text(parse(field("int", default="x"), rules="stored"))
    assert '"default"' not in normalized_text(parse(field(["null", "int"], default="x"), rules="stored"))


def test_the_form_does_not_depend_on_what_readers_need_not_know() -> None:
    plain = record({"name": "x", "type": "int"})
    decorated = record({"name": "x", "type": {"type": "int", "unit": "ms"}, "doc": "d", "default": 1}, doc="d", p=1)
    assert parsing_canonical_form(parse(decorated)) == parsing_canonical_form(parse(plain))


@pytest.mark.parametrize("write", [canonical_text, inlined_text, normalized_text, parsing_canonical_form])
def test_types_that_come_to_stand_too_deep_are_refused(write: Any) -> None:
    """The limit is the parser's, so that what is written is read again."""
    for levels, is_written in ((99, True), (100, False)):
        last = record({"name": "a", "type": "int"}, name=f"R{levels}")
        links = [record({"name": "a", "type": f"R{index + 1}"}, name=f"R{index}") for index in range(levels)]
        schema = parse('{"type": "record", "name": "Top", "fields": [{"name": "x", "type": "R1"}]}',
                       references=[parse("[" + ",".join([*links[1:], last]) + "]")])  # fmt: skip
        if is_written:
            parse(write(schema), references=schema.references if write is not inlined_text else ())
        else:
            with pytest.raises(SchemaLimit, match="more than 100 levels deep"):
                write(schema)
