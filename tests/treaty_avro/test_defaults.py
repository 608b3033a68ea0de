"""Which defaults a field may have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.treaty_avro.java import field, record
from treaty_avro import Record, SchemaError, SchemaLimit, parse

ENUM = {"type": "enum", "name": "E", "symbols": ["A"]}
FIXED = {"type": "fixed", "name": "F", "size": 2}
POINT = {
    "type": "record",
    "name": "P",
    "fields": [{"name": "a", "type": "int", "default": 3}, {"name": "b", "type": "int"}],
}


@pytest.mark.parametrize(
    ("type_", "default"),
    [
        ("null", None), ("boolean", True), ("int", -(2**31)), ("int", 2**31 - 1), ("long", 2**63 - 1), ("float", 1),
        ("double", 1.5), ("string", "s"), ("bytes", "\u00ff"), (ENUM, "A"), (FIXED, "ab"),
        ({"type": "array", "items": "int"}, [1, 2]), ({"type": "map", "values": "int"}, {"k": 1}),
        (["null", "int"], 1), (["int", "null"], None), (POINT, {"b": 1}), (POINT, {"a": 1, "b": 2, "unknown": 3}),
        ([{"type": "array", "items": POINT}, "null"], [{"b": 1}]),
        # Finer faults show when the default is used.
        (ENUM, "Z"), (FIXED, "too long"), ("bytes", "\u0100"),
    ],
)  # fmt: skip
def test_a_default_of_its_type_is_accepted(type_: Any, default: Any) -> None:
    root = parse(field(type_, default=default)).root
    assert isinstance(root, Record)
    assert root.fields[0].default == default


@pytest.mark.parametrize(
    ("type_", "default", "pointer", "reason"),
    [
        ("null", 0, "", "0 is not a null"),
        ("boolean", 1, "", "1 is not a boolean"),
        ("int", 2**31, "", "2147483648 is not an int"),
        ("int", 1.0, "", "1.0 is not an int"),
        ("int", True, "", "true is not an int"),
        ("long", 2**63, "", "9223372036854775808 is not a long"),
        ("string", 1, "", "1 is not a string"),
        ("bytes", None, "", "null is not a bytes"),
        (ENUM, 1, "", "1 is not an enum"),
        (FIXED, [], "", "[] is not a fixed"),
        ({"type": "array", "items": "int"}, [1, "x"], "/1", '"x" is not an int'),
        ({"type": "map", "values": "int"}, {"a/b": "x"}, "/a~1b", '"x" is not an int'),
        ({"type": "map", "values": "int"}, [], "", "[] is not a map"),
        (["null", "int"], "x", "", '"x" fits no branch of the union'),
        (POINT, {}, "", "b is missing, and has no default of its own"),
        (POINT, {"b": "x"}, "/b", '"x" is not an int'),
        (POINT, 1, "", "1 is not a record a.P"),
        ("string", {"k": "v" * 100}, "", '{"k": "' + "v" * 72 + "… is not a string"),
    ],
)
def test_a_default_of_another_type_is_refused_where_it_stands(
    type_: Any, default: Any, pointer: str, reason: str
) -> None:
    with pytest.raises(SchemaError) as refusal:
        parse(field(type_, default=default))
    assert refusal.value.pointer == f"/fields/0/default{pointer}"
    assert refusal.value.reason == f"invalid default for field x: {reason}"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0), (" -1.5e3 ", -1500.0), ("2d", 2.0), ("3.F", 3.0), (".5", 0.5), ("0x1.8p3", 12.0), ("-0x1p-1d", -0.5),
        ("Infinity", float("inf")), ("-Infinity", float("-inf")), ("1e999", float("inf")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("type_", ["float", "double"])
def test_a_number_written_as_a_string_becomes_a_number(type_: str, text: str, number: float) -> None:
    root = parse(field(type_, default=text)).root
    assert isinstance(root, Record)
    assert root.fields[0].default == number


@pytest.mark.parametrize("text", ["", "x", "1,5", "1_0", "inf", "nan", "0x10", "٣", "1 2"])
def test_a_string_that_java_reads_as_no_number_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="is not a double"):
        parse(field("double", default=text))


def test_a_default_that_holds_itself_is_refused() -> None:
    with pytest.raises(SchemaError, match="holds itself"):
        parse(field("R", default={}))


def chain(order: int) -> str:
    records = [record({"name": "a", "type": "int", "default": 1}, name="R0")]
    for index in range(1, 400):
        fields = [{"name": name, "type": f"R{index - 1}", "default": {}} for name in "ab"]
        records.append(record(*fields, name=f"R{index}"))
    return f"[{','.join(records[::order])}]"


def test_defaults_that_double_at_every_level_are_judged_once_each() -> None:
    # 2^400 steps, were each judged where it is used; the suite's time limit would end that.
    parse(chain(1))


def test_defaults_that_fill_in_records_too_deep_are_refused() -> None:
    with pytest.raises(SchemaLimit, match="fills in more nested records"):
        parse(chain(-1))


def test_unions_in_a_deep_default_are_not_tried_in_every_combination() -> None:
    branches = [{"type": "record", "name": name, "fields": [{"name": "n", "type": "T"}]} for name in ("A", "B")]
    holder = {"type": "record", "name": "T", "fields": [{"name": "u", "type": [*branches, "null"]}]}
    default: Any = {"u": 5}
    for _ in range(40):
        default = {"u": {"n": default}}
    with pytest.raises(SchemaError, match="fits no branch"):
        parse(field(holder, default=default))


def test_a_default_against_a_wide_union_ends() -> None:
    wide = [json.loads(record(name=f"R{index}")) for index in range(3_000)]
    with pytest.raises(SchemaError):
        parse(field({"type": "array", "items": wide}, default=[number + 1_000 for number in range(1_000)]))
