"""Events as JSON: both styles come back equal, and what does not fit is refused with its path."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.treaty_avro.generated import schemas, values
from tests.treaty_avro.orders import SCHEMA, OrderCreated, Voucher, order
from treaty_avro import (
    ClassMismatch,
    DecodeError,
    EncodeError,
    Style,
    Tagged,
    compile_generic,
    from_json,
    parse,
    schema_of,
    to_json,
)

_STYLES: tuple[Style, ...] = ("avro", "plain")


def _one(type_: Any, **more: Any) -> Any:
    return parse(json.dumps({"type": "record", "name": "R", "fields": [{"name": "f", "type": type_, **more}]}))


@pytest.mark.parametrize("style", _STYLES)
def test_an_event_comes_back_equal(style: Style) -> None:
    event = order(parent=order(payment=Voucher(last_four="x"), ratio=math.inf, number=2**62))
    assert from_json(OrderCreated, to_json(event, style=style), style=style) == event


@settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_generated_values_come_back_equal_in_both_styles(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    value = data.draw(values(schema.root))
    for style in _STYLES:
        assert from_json(schema, to_json(value, schema, style=style), style=style) == value


def test_the_avro_style_is_read_by_fastavro() -> None:
    document = {**SCHEMA, "fields": [field for field in SCHEMA["fields"] if field["name"] != "parent"]}
    schema = parse(json.dumps(document))
    event = compile_generic(schema_of(OrderCreated))[1]
    value = event(compile_generic(schema_of(OrderCreated))[0](_untyped()))
    assert isinstance(value, dict)
    del value["parent"]
    told = to_json(value, schema)
    read: Any = next(iter(fastavro.json_reader(io.StringIO(told), document)))
    assert read["payment"] == {"last_four": "x"}
    assert read["total"] == value["total"]


def _untyped() -> object:
    return from_json(schema_of(OrderCreated), to_json(order(payment=Voucher(last_four="x"))))


def test_the_plain_style_is_for_people() -> None:
    told = json.loads(to_json(order(number=2**60), style="plain"))
    assert told["number"] == "1152921504606846976"
    assert told["created"] == "2026-01-02T03:04:05.678000Z"
    assert told["day"] == "1969-12-31"
    assert told["total"] == "12.30"
    assert told["raw"] == "AP8="
    assert told["note"] == "grüße"
    assert told["payment"] == {"mall.order.Card": {"last_four": "1234"}}
    assert told["span"] == {"months": 1, "days": 2, "milliseconds": 3}


def test_missing_fields_get_their_defaults_in_the_plain_style_only() -> None:
    schema = _one({"type": "array", "items": ["null", "int"]}, default=[1, None])
    assert from_json(schema, "{}", style="plain") == {"f": [1, None]}
    with pytest.raises(DecodeError, match="is missing"):
        from_json(schema, "{}")


@pytest.mark.parametrize(
    ("type_", "text", "path"),
    [
        ("int", "{", ""),
        ("int", "", ""),
        ("int", "NaN", ""),
        ("int", '{"f": 1, "f": 2}', ""),
        ("int", '{"f": 1, "g": 2}', ""),
        ("int", "{}", "f"),
        ("int", "[" * 100_000, ""),
        ("int", '{"f": 1.0}', "f"),
        ("int", '{"f": true}', "f"),
        ("int", '{"f": 2147483648}', "f"),
        ("int", '{"f": 1' + "0" * 5_000 + "}", ""),
        ("long", '{"f": "1"}', "f"),
        ("string", '{"f": "\\ud800"}', "f"),
        ("bytes", '{"f": "\\u0100"}', "f"),
        ({"type": "fixed", "name": "F", "size": 2}, '{"f": "abc"}', "f"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, '{"f": "B"}', "f"),
        (["null", "int"], '{"f": 5}', "f"),
        (["null", "int"], '{"f": {"long": 5}}', "f"),
        ("boolean", '{"f": 1}', "f"),
        ("null", '{"f": 0}', "f"),
        ("double", '{"f": "x"}', "f"),
        ({"type": "array", "items": "int"}, '{"f": [1, "x"]}', "f[1]"),
        ({"type": "map", "values": "int"}, '{"f": {"a": "x"}}', "f['a']"),
        ({"type": "int", "logicalType": "date"}, '{"f": 2147483647}', "f"),
    ],
)
def test_what_does_not_fit_is_refused_as_input_with_its_path(type_: Any, text: str, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        from_json(_one(type_), text)
    assert caught.value.code == "input"
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("logical", "text"),
    [
        ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}, '"12.34"'),
        ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}, '"1e999999999"'),
        ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}, "1.5"),
        ({"type": "string", "logicalType": "uuid"}, '"x"'),
        ({"type": "int", "logicalType": "date"}, '"2026-13-01"'),
        ({"type": "long", "logicalType": "timestamp-millis"}, '"2026-01-01T00:00:00"'),
        ({"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}, '{"months": 1}'),
    ],
)
def test_logical_values_that_do_not_fit_are_refused_in_the_plain_style(logical: Any, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        from_json(_one(logical), f'{{"f": {text}}}', style="plain")
    assert (caught.value.code, caught.value.path) == ("input", "f")


def test_a_value_that_does_not_encode_has_no_json() -> None:
    with pytest.raises(EncodeError):
        to_json(order(number=2**63))
    with pytest.raises(ClassMismatch):
        to_json({"a": 1})


def test_branches_that_look_alike_are_told_apart_in_the_plain_style() -> None:
    schema = _one(["null", "string", "bytes"])
    for value in (None, Tagged("string", "x"), Tagged("bytes", b"x")):
        assert from_json(schema, to_json({"f": value}, schema, style="plain"), style="plain") == {"f": value}
    apart = _one(["null", "string", "int"])
    assert to_json({"f": Tagged("int", 5)}, apart, style="plain") == '{"f": 5}'


def test_json_nested_a_hundred_records_deep_is_read_and_one_more_is_refused() -> None:
    schema = parse('{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"],"default":null}]}')
    text = '{"n": ' * 99 + "{}" + "}" * 99
    assert from_json(schema, text, style="plain")
    with pytest.raises(DecodeError):
        from_json(schema, f'{{"n": {text}}}', style="plain")
