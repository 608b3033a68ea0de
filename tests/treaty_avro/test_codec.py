"""Typed events: what goes in comes out, and what does not fit is refused by name."""

from __future__ import annotations

import copy
import json
import math
import pickle
import re
import struct
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.treaty_avro.orders import Card, Line, OrderCreated, Seal, Span, Status, Voucher, order
from treaty_avro import (
    DecodeError,
    EncodeError,
    SchemaLimit,
    Tagged,
    compile_decoder,
    compile_encoder,
    compile_generic,
    example,
    parse,
    schema_of,
)

_NAIVE = datetime(2026, 1, 2)  # noqa: DTZ001  # that is what is refused
_MICROS = datetime(2026, 1, 2, 0, 0, 0, 1, tzinfo=UTC)


def _one(type_: Any) -> Any:
    return parse(json.dumps({"type": "record", "name": "R", "fields": [{"name": "f", "type": type_}]}))


def test_an_event_comes_back_equal_with_its_classes() -> None:
    event = order(parent=order(payment=Voucher(last_four="77")))
    frame = b"\x00\x00\x00\x00\x2a"
    data = compile_encoder(OrderCreated, prefix=frame)(event)
    assert data.startswith(frame)
    back = compile_decoder(OrderCreated)(data, 5)
    assert back == event
    assert type(back.seal) is Seal
    assert type(back.span) is Span
    assert back.created.tzinfo is UTC
    assert back.from_ is Status.None_
    assert isinstance(back.parent, OrderCreated)
    assert type(back.parent.payment) is Voucher


def test_decoded_events_are_whole_objects() -> None:
    """They were filled past ``__init__``; nothing may tell them from constructed ones."""
    back = compile_decoder(OrderCreated)(compile_encoder(OrderCreated)(order()))
    assert type(back) is OrderCreated
    assert pickle.loads(pickle.dumps(back)) == back == copy.deepcopy(back)  # noqa: S301  # our own bytes
    assert repr(back) == repr(order())
    with pytest.raises(AttributeError):
        back.number = 1  # type: ignore[misc]  # frozen, which is what is tested


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number": 2**63}, "number: 9223372036854775808 does not fit a long of 64 bits"),
        ({"number": True}, "number: True is not an int"),
        ({"number": 1.0}, "number: 1.0 is not an int"),
        ({"is_paid": 1}, "is_paid: expected bool, got int"),
        ({"weight": 1e300}, "weight: 1e+300 is beyond the range of a float of 32 bits"),
        ({"weight": 16_777_217}, "weight: 16777217 is an int that no float of 32 bits holds exactly"),
        ({"ratio": 2**53 + 1}, "ratio: 9007199254740993 is an int that no double holds exactly"),
        ({"ratio": 10**400}, "ratio: an int of 1329 bits is an int that no double holds exactly"),
        ({"ratio": True}, "ratio: True is not a float"),
        ({"ratio": "1"}, "ratio: '1' is not a float"),
        ({"note": b"x"}, "note: expected str, got bytes"),
        ({"note": "\ud800"}, "note: '\\ud800' holds a lone surrogate, which UTF-8 cannot say"),
        ({"status": "NEW"}, "status: 'NEW' is no Status of the schema"),
        ({"total": Decimal("12.345")}, "total: 12.345 has 3 decimals, the schema keeps 2"),
        (
            {"total": Decimal("1e10")},
            "total: 1E+10 has more than 12 digits with the 2 decimals that the schema keeps",
        ),
        ({"total": Decimal("1e999999")}, None),
        ({"total": Decimal("NaN")}, "total: NaN is not a finite number"),
        ({"total": Decimal("-Infinity")}, "total: -Infinity is not a finite number"),
        ({"total": Decimal("sNaN")}, "total: sNaN is not a finite number"),
        ({"total": 12.3}, "total: expected a Decimal, got float"),
        ({"seal": b"abc"}, "seal: b'abc' has 3 bytes, the schema 4"),
        ({"seal": "abcd"}, "seal: expected bytes, got str"),
        ({"raw": "x"}, "raw: expected bytes, got str"),
        ({"span": Span(-1, 0, 0)}, None),
        ({"span": (1, 2)}, None),
        ({"day": _MICROS}, "day: expected a date, got datetime"),
        ({"at_micros": time(1, tzinfo=UTC)}, None),
        ({"at_millis": time(0, 0, 0, 1)}, None),
        ({"order_id": "12345678-1234-5678-1234-567812345678"}, "order_id: expected a UUID, got str"),
        ({"created": _NAIVE}, "created: 2026-01-02 00:00:00 has no time zone; say which one is meant"),
        (
            {"created": _MICROS},
            (
                "created: 2026-01-02 00:00:00.000001+00:00 has parts of a millisecond; "
                "timestamp-millis keeps milliseconds: round it yourself or use timestamp-micros"
            ),
        ),
        (
            {"local_micros": _MICROS},
            "local_micros: 2026-01-02 00:00:00.000001+00:00 has a time zone, the schema keeps none",
        ),
        ({"created": date(2026, 1, 2)}, "created: expected a datetime, got date"),
        ({"nanos": None}, "nanos: None is not an int"),
        (
            {"lines": [Line(sku="a", quantity=2**31, unit_price=Decimal(1))]},
            "lines[0].quantity: 2147483648 does not fit an int of 32 bits",
        ),
        ({"lines": {"sku": "a"}}, "lines: expected list, got dict"),
        ({"lines": [{"sku": "a"}]}, "lines[0]: expected Line, got dict"),
        ({"tags": {"a": 1}}, "tags['a']: expected str, got int"),
        ({"tags": {1: "a"}}, "tags: 1 is no str, and maps have only str keys"),
        ({"tags": []}, "tags: expected dict, got list"),
        ({"payment": {"last_four": "1"}}, "payment: expected Card | Voucher | Seal | int | None, got dict"),
        ({"payment": 1.0}, "payment: expected Card | Voucher | Seal | int | None, got float"),
        ({"parent": object()}, "parent: expected OrderCreated, got object"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changes: dict[str, Any], message: str | None) -> None:
    with pytest.raises(EncodeError) as caught:
        compile_encoder(OrderCreated)(order(**changes))
    if message is not None:
        assert str(caught.value) == message
    assert caught.value.path.startswith(next(iter(changes)))
    assert len(str(caught.value)) < 250


def test_personal_data_is_not_shown() -> None:
    with pytest.raises(EncodeError) as caught:
        compile_encoder(OrderCreated)(order(payment=Card(last_four="secret \ud800")))
    assert "secret" not in str(caught.value)
    assert caught.value.path == "payment.last_four"


def test_another_class_is_refused() -> None:
    with pytest.raises(EncodeError, match="expected OrderCreated, got Line"):
        compile_encoder(OrderCreated)(Line(sku="", quantity=0, unit_price=Decimal(0)))  # type: ignore[arg-type]  # the wrong class is the point


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": 3, "ratio": 2**60},
        {"raw": bytearray(b"xy")},
        {"seal": b"abcd"},
        {"lines": ()},
        {"total": Decimal("1.200")},
        {"total": Decimal("0E+50")},
        {"total": Decimal("-0.00")},
        {"total": Decimal("9999999999.99")},
        {"created": datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=8)))},
        {"payment": b"abcd"},
        {"payment": None},
        {"payment": -(2**63)},
        {"ratio": -math.inf},
    ],
)
def test_values_that_are_the_same_thing_are_written(changes: dict[str, Any]) -> None:
    back = compile_decoder(OrderCreated)(compile_encoder(OrderCreated)(order(**changes)))
    for name, value in changes.items():
        read = getattr(back, name)
        assert (list(value) if isinstance(value, tuple) else value) == read


def test_not_a_number_comes_back() -> None:
    assert math.isnan(compile_decoder(OrderCreated)(compile_encoder(OrderCreated)(order(ratio=math.nan))).ratio)


def test_a_branch_is_chosen_by_class_even_among_records_of_one_shape() -> None:
    encode, decode = compile_encoder(OrderCreated), compile_decoder(OrderCreated)
    for payment in (Card(last_four="1"), Voucher(last_four="1"), Seal(b"abcd"), 5, None):
        back = decode(encode(order(payment=payment))).payment
        assert back == payment
        assert type(back) is type(payment)


def test_a_subclass_goes_to_the_branch_of_its_parent() -> None:
    class Golden(Card):
        __slots__ = ()

    back = compile_decoder(OrderCreated)(compile_encoder(OrderCreated)(order(payment=Golden(last_four="1"))))
    assert back.payment == Card(last_four="1")


@pytest.mark.parametrize(
    ("branches", "value", "data"),
    [
        (["int", "long"], 5, b"\x00\x0a"),
        (["int", "long"], 2**40, b"\x02\x80\x80\x80\x80\x80\x40"),
        (["long", "int"], 5, b"\x00\x0a"),
        (["float", "double"], 0.5, b"\x00\x00\x00\x00?"),
        (["float", "double"], 431.66, b"\x02" + struct.pack("<d", 431.66)),
        (["float", "double"], 1e300, b"\x02" + struct.pack("<d", 1e300)),
        (["float", "double"], float("-inf"), b"\x00" + struct.pack("<f", float("-inf"))),
        (["null", "float"], 0.5, b"\x02\x00\x00\x00?"),
        (["null", "boolean", "int"], True, b"\x02\x01"),
        (["string", {"type": "enum", "name": "E", "symbols": ["A"]}], "A", b"\x00\x02A"),
        ([{"type": "enum", "name": "E", "symbols": ["A"]}, "string"], "B", b"\x02\x02B"),
        ([{"type": "array", "items": "int"}, {"type": "map", "values": "int"}], {"a": 1}, b"\x02\x02\x02a\x02\x00"),
        (
            [
                {"type": "fixed", "name": "P", "size": 2, "logicalType": "decimal", "precision": 2, "scale": 0},
                {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            ],
            Decimal("1.25"),
            b"\x02\x02\x7d",
        ),
    ],
)
def test_branches_of_one_class_are_tried_in_the_order_of_the_schema(branches: Any, value: Any, data: bytes) -> None:
    encode, decode = compile_generic(_one(branches))
    assert encode({"f": value}) == data
    read = decode(data)
    assert isinstance(read, dict)
    told = read["f"]
    assert (told.value if isinstance(told, Tagged) else told) == value


def test_a_tag_chooses_the_branch() -> None:
    encode, decode = compile_generic(_one(["int", "long"]))
    assert encode({"f": Tagged("long", 5)}) == b"\x02\x0a"
    assert decode(b"\x02\x0a") == {"f": Tagged("long", 5)}
    with pytest.raises(EncodeError, match=re.escape("expected int | long")):
        encode({"f": Tagged("string", "x")})


def test_trying_branches_comes_to_an_end() -> None:
    """Each level has two branches that both fail at the bottom: 2**60 ways."""
    a = {"type": "record", "name": "A", "fields": [{"name": "x", "type": ["A", "B", "null"]}]}
    b = {"type": "record", "name": "B", "fields": [{"name": "x", "type": ["A", "B", "null"]}]}
    encode, _ = compile_generic(_one([a, b]))
    value: Any = {"x": 1.5}
    for _ in range(12):
        value = {"x": value}
    with pytest.raises(EncodeError):
        encode({"f": value})


@pytest.mark.parametrize(
    ("value", "message"),
    [({}, "f: is missing"), ({"f": 1, "g": 2}, "the schema has no field 'g'"), ([], "expected dict, got list")],
)
def test_a_dict_has_exactly_the_fields(value: Any, message: str) -> None:
    with pytest.raises(EncodeError, match=re.escape(message)):
        compile_generic(_one("int"))[0](value)


@pytest.mark.parametrize(
    ("number", "data"),
    [
        ("0", b"\x02\x00"),
        ("1.27", b"\x02\x7f"),
        ("1.28", b"\x04\x00\x80"),
        ("-1.28", b"\x02\x80"),
        ("-1.29", b"\x04\xff\x7f"),
    ],
)
def test_decimals_take_as_few_bytes_as_hold_them(number: str, data: bytes) -> None:
    encode, decode = compile_generic(_one({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}))
    assert encode({"f": Decimal(number)}) == data
    assert decode(data) == {"f": Decimal(number)}


def test_decimals_padded_by_other_writers_are_read() -> None:
    _, decode = compile_generic(_one({"type": "bytes", "logicalType": "decimal", "precision": 3}))
    assert decode(b"\x20" + b"\xff" * 15 + b"\x80") == {"f": Decimal(-128)}
    assert decode(b"\x20" + b"\x00" * 14 + b"\x03\xe7") == {"f": Decimal(999)}


def test_decimals_longer_than_the_context_are_exact() -> None:
    encode, decode = compile_generic(_one({"type": "bytes", "logicalType": "decimal", "precision": 5000, "scale": 40}))
    value = Decimal((1, (7,) * 5000, -40))
    assert decode(encode({"f": value})) == {"f": value}


def test_decimals_of_hostile_precision_do_not_compile() -> None:
    with pytest.raises(SchemaLimit):
        compile_generic(_one({"type": "bytes", "logicalType": "decimal", "precision": 10_001}))


def test_a_fixed_may_be_a_uuid() -> None:
    event = example(schema_of(OrderCreated), seed=70)
    encode, decode = compile_generic(_one({"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"}))
    assert decode(encode({"f": event["order_id"]})) == {"f": event["order_id"]}


def test_wide_records_deep_loops_and_many_branches_compile() -> None:
    nested: Any = "int"
    for _ in range(40):
        nested = {"type": "array", "items": nested}
    wide = {"type": "record", "name": "W", "fields": [{"name": f"f{i}", "type": "int"} for i in range(3000)]}
    many = [{"type": "record", "name": f"B{i}", "fields": []} for i in range(300)]
    symbols = [f"S{i}" for i in range(10_000)]
    schema = parse(
        json.dumps(
            {
                "type": "record",
                "name": "R",
                "fields": [
                    {"name": "nested", "type": nested},
                    {"name": "wide", "type": ["null", wide]},
                    {"name": "many", "type": many},
                    {"name": "enum", "type": {"type": "enum", "name": "E", "symbols": symbols}},
                ],
            }
        )
    )
    deep: Any = 3
    for _ in range(40):
        deep = [deep]
    value = {"nested": deep, "wide": {f"f{i}": i for i in range(3000)}, "many": Tagged("B299", {}), "enum": "S9999"}
    encode, decode = compile_generic(schema)
    assert decode(encode(value)) == value


@pytest.mark.parametrize("text", ["[]", '{"type": "array", "items": []}', '{"type": "map", "values": []}'])
def test_a_union_of_nothing_compiles_and_takes_nothing(text: str) -> None:
    encode, decode = compile_generic(parse(text))
    with pytest.raises(EncodeError):
        encode({"a": None} if "map" in text else [None] if "array" in text else None)
    with pytest.raises(DecodeError):
        decode(b"\x02\x02a\x00\x00")


def test_a_field_of_a_union_of_nothing_hinders_only_its_record() -> None:
    encode, decode = compile_generic(
        parse('[{"type": "record", "name": "R", "fields": [{"name": "f", "type": []}]}, "int"]')
    )
    assert decode(encode(7)) == Tagged("int", 7)
    with pytest.raises(EncodeError):
        encode({"f": None})
