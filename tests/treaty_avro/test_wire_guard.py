"""Whatever bytes arrive: a value or a ``DecodeError`` with its code and place, and no more work than they pay for."""

from __future__ import annotations

import json
import random
import sys
from types import FrameType
from typing import Any

import pytest

from tests.fuzz.events import mall_events
from tests.treaty_avro.orders import OrderCreated, Voucher, order
from treaty_avro import DecodeError, EncodeError, Limits, compile_decoder, compile_encoder, compile_generic, parse
from treaty_avro.interpret import decoding
from treaty_avro.plan.nodes import Op
from treaty_avro.values.wire import LIMITS, long_bytes, nearest_float, read_long

EVENTS = list(mall_events())


def _schema(*types: Any) -> str:
    fields = [{"name": f"f{i}", "type": type_} for i, type_ in enumerate(types)]
    return json.dumps({"type": "record", "name": "R", "fields": fields})


_ARRAY = {"type": "array", "items": "int"}
_MAP = {"type": "map", "values": "int"}
_NULLS = {"type": "array", "items": "null"}
_ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
_BIG_ENUM = {"type": "enum", "name": "E", "symbols": [f"S{i}" for i in range(100)]}
_FIXED = {"type": "fixed", "name": "F", "size": 3}

_ATTACKS = [
    ("int", b"", "truncated"),
    ("int", b"\x80", "truncated"),
    ("double", b"\x00" * 7, "truncated"),
    (_FIXED, b"ab", "truncated"),
    ("int", b"\x00\x00", "trailing"),
    ("long", b"\xff" * 10 + b"\x01", "varint"),
    ("long", b"\xff" * 9 + b"\x02", "varint"),
    ("int", b"\x80\x00", "varint"),
    ("int", b"\x80\x80\x80\x80\x80\x01", "varint"),
    ("string", b"\x82\x00a", "varint"),
    ("int", b"\xff\xff\xff\xff\x1f", "int_range"),
    ("boolean", b"\x02", "bool"),
    (["null", "int"], b"\x01", "index"),
    (["null", "int"], b"\x04", "index"),
    (["null", "int", "string"], b"\x06", "index"),
    (["null", "int", "string"], b"\x03", "index"),
    (["null", "int", "string"], b"\x80\x01", "index"),
    (_ENUM, b"\x01", "index"),
    (_ENUM, b"\x04", "index"),
    (_BIG_ENUM, b"\xc8\x01", "index"),
    ("string", b"\x01", "length"),
    ("string", b"\x04a", "length"),
    ("bytes", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "length"),
    (_MAP, b"\x02\x01\x00", "length"),
    (_ARRAY, b"\x0a\x00\x00", "count"),
    (_ARRAY, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", "count"),
    (_ARRAY, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", "count"),
    (_ARRAY, b"\x01\x01\x00\x00", "block_size"),
    (_ARRAY, b"\x01\x20\x00\x00", "block_size"),
    (_ARRAY, b"\x01\x04\x00\x00", "block_size"),
    (_NULLS, long_bytes(65_537) + b"\x00", "budget"),
    (_NULLS, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", "budget"),
    ("string", b"\x02\xff", "utf8"),
    ("string", b"\x06\xed\xa0\x80", "utf8"),
    ({"type": "bytes", "logicalType": "decimal", "precision": 2}, b"\x00", "logical"),
    ({"type": "bytes", "logicalType": "decimal", "precision": 2}, b"\x02\x64", "logical"),
    ({"type": "bytes", "logicalType": "decimal", "precision": 2}, b"\x08\x01\x00\x00\x00", "logical"),
    ({"type": "string", "logicalType": "uuid"}, b"\x02a", "logical"),
    ({"type": "string", "logicalType": "uuid"}, b"H" + b"+" + b"0" * 7 + b"-0000-0000-0000-000000000000", "logical"),
    ({"type": "string", "logicalType": "uuid"}, b"H" + b"00000000-0000-0000-0000-0000_0000000", "logical"),
    ({"type": "int", "logicalType": "date"}, long_bytes(2_932_897), "logical"),
    ({"type": "int", "logicalType": "date"}, long_bytes(2**31 - 1), "logical"),
    ({"type": "int", "logicalType": "time-millis"}, long_bytes(86_400_000), "logical"),
    ({"type": "long", "logicalType": "time-micros"}, long_bytes(-1), "logical"),
    ({"type": "long", "logicalType": "timestamp-millis"}, long_bytes(253_402_300_800_000), "logical"),
    ({"type": "long", "logicalType": "timestamp-micros"}, long_bytes(2**63 - 1), "logical"),
    ({"type": "long", "logicalType": "local-timestamp-micros"}, long_bytes(-(2**63)), "logical"),
]


@pytest.mark.parametrize(("type_", "data", "code"), _ATTACKS)
def test_an_attack_is_refused_with_its_code(type_: Any, data: bytes, code: str) -> None:
    schema = parse(_schema(type_))
    _, decode = compile_generic(schema)
    with pytest.raises(DecodeError) as caught:
        decode(data)
    assert caught.value.code == code
    assert caught.value.path.startswith("f0") or code == "trailing"
    assert 0 <= caught.value.offset <= len(data)


@pytest.mark.parametrize(("type_", "data", "code"), _ATTACKS)
def test_an_attack_on_a_skipped_field_does_not_hang_or_crash(type_: Any, data: bytes, code: str) -> None:
    """What is skipped need not be valid, only measurable."""
    _, decode = compile_generic(parse(_schema()), parse(_schema(type_)))
    if code in ("utf8", "logical"):
        assert decode(data) == {}
    else:
        with pytest.raises(DecodeError) as caught:
            decode(data)
        # A block with its size is jumped over whole.
        assert caught.value.code == code or type_ is _ARRAY


def test_blocks_with_their_size_are_read_and_skipped() -> None:
    data = b"\x03\x04\x02\x04\x02\x06\x00"
    reader = parse(_schema(_ARRAY))
    assert compile_generic(reader)[1](data) == {"f0": [1, 2, 3]}
    assert compile_generic(parse(_schema()), reader)[1](data) == {}


@pytest.mark.parametrize("data", ["text", None, 5, [1], object()])
def test_what_is_no_buffer_is_refused_as_input(data: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        compile_decoder(OrderCreated)(data)
    assert caught.value.code == "input"


@pytest.mark.parametrize("start", [-1, 10_000])
def test_a_start_outside_the_data_is_refused(start: int) -> None:
    with pytest.raises(DecodeError):
        compile_decoder(OrderCreated)(b"\x00" * 10, start)


@pytest.mark.parametrize(("data", "start"), [(b"\x02", -1), (b"\x02\x02", -2), (b"\x02\x02", 3)])
def test_no_data_is_read_from_its_end(data: bytes, start: int) -> None:
    """From place -1 two numbers of a byte would be read, the last and then the first, and nothing would be left over."""
    _, decode = compile_generic(parse(_schema("int", "int")))
    with pytest.raises(DecodeError) as caught:
        decode(data, start)
    assert caught.value.code == "input"


def test_a_time_that_does_not_fit_the_readers_unit_is_refused_as_that() -> None:
    reader, writer = ({"type": "long", "logicalType": f"timestamp-{unit}"} for unit in ("micros", "millis"))
    _, decode = compile_generic(parse(_schema(reader)), parse(_schema(writer)))
    with pytest.raises(DecodeError, match="does not fit the reader's unit") as caught:
        decode(long_bytes(2**62))
    assert caught.value.code == "logical"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_buffer_is_read(kind: Any) -> None:
    written = compile_encoder(OrderCreated, prefix=b"\x00\x00\x00\x00\x07")(order())
    assert compile_decoder(OrderCreated)(kind(written), 5) == order()


_NODE = json.dumps({"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]})


def _nested(depth: int) -> Any:
    value: Any = None
    for _ in range(depth):
        value = {"next": value}
    return value


def test_a_hundred_open_records_are_written_and_read_and_one_more_is_refused() -> None:
    encode, decode = compile_generic(parse(_NODE))
    assert decode(encode(_nested(100))) == _nested(100)
    with pytest.raises(DecodeError) as caught:
        decode(b"\x02" * 100 + b"\x00")
    assert caught.value.code == "depth"
    with pytest.raises(EncodeError, match="open at once"):
        encode(_nested(101))


def test_a_million_open_records_are_refused_as_too_deep() -> None:
    with pytest.raises(DecodeError) as caught:
        compile_generic(parse(_NODE))[1](b"\x02" * 1_000_000)
    assert caught.value.code == "depth"


def test_records_that_are_nested_by_the_schema_count_too() -> None:
    inner: Any = "int"
    for n in range(60):
        inner = {"type": "record", "name": f"R{n}", "fields": [{"name": "f", "type": inner}]}
    schema = parse(json.dumps(inner))
    encode, decode = compile_generic(schema, limits=Limits(max_depth=60))
    value: Any = 1
    for _ in range(60):
        value = {"f": value}
    assert decode(encode(value)) == value
    tight, refusing = compile_generic(schema, limits=Limits(max_depth=59))
    with pytest.raises(EncodeError):
        tight(value)
    with pytest.raises(DecodeError) as caught:
        refusing(b"\x02")
    assert caught.value.code == "depth"


def test_the_budget_of_values_holds_both_ways() -> None:
    schema = parse(_schema({"type": "array", "items": _ARRAY}))
    encode, decode = compile_generic(schema, limits=Limits(max_values=100))
    fits = {"f0": [[1] * 9] * 10}
    assert decode(encode(fits)) == fits
    too_much = {"f0": [[1] * 10] * 10}
    with pytest.raises(EncodeError, match="more values than one message may hold"):
        encode(too_much)
    with pytest.raises(DecodeError) as caught:
        decode(compile_generic(schema)[0](too_much))
    assert caught.value.code == "budget"


def test_items_without_width_have_their_own_budget() -> None:
    schema = parse(_schema(_NULLS))
    encode, decode = compile_generic(schema)
    assert decode(encode({"f0": [None] * 65_536})) == {"f0": [None] * 65_536}
    with pytest.raises(EncodeError):
        encode({"f0": [None] * 65_537})


@pytest.mark.parametrize("item", ["null", {"type": "record", "name": "E", "fields": [{"name": "n", "type": "null"}]}])
def test_a_fault_behind_items_without_width_is_explained_without_walking_over_them(item: Any) -> None:
    """Three bytes announce 65,536 items; what a fault costs is counted in calls, which are the same on each machine."""
    _, decode = compile_generic(parse(_schema({"type": "array", "items": item}, "boolean")))
    calls = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls  # the engine's own: plugins may be called by the garbage collector
        calls += event == "call" and "treaty_avro" in frame.f_code.co_filename

    sys.setprofile(count)
    try:
        found = _outcome(decode, long_bytes(65_536) + b"\x00\x02")
    finally:
        sys.setprofile(None)
    assert found == ("bool", 4, "f1")
    assert calls < 200


def test_shared_records_without_width_pay_for_each_item() -> None:
    shared: Any = {"type": "record", "name": "S", "fields": [{"name": f"n{i}", "type": "null"} for i in range(20)]}
    schema = parse(_schema({"type": "array", "items": shared}, "S"))
    _, decode = compile_generic(schema, limits=Limits(max_values=1_000))
    assert any(node[0] is Op.REF for node in decode.plan.nodes)
    found: Any = decode(long_bytes(46) + b"\x00")
    assert len(found["f0"]) == 46
    assert _outcome(decode, long_bytes(48) + b"\x00") == ("budget", 1, "f0[0]")


def test_records_without_width_that_double_at_each_level_are_refused() -> None:
    inner: Any = {"type": "record", "name": "R0", "fields": [{"name": "a", "type": "null"}]}
    for n in range(1, 40):
        fields = [{"name": "a", "type": inner}, {"name": "b", "type": f"R{n - 1}"}]
        inner = {"type": "record", "name": f"R{n}", "fields": fields}
    _, decode = compile_generic(parse(json.dumps(inner)), limits=Limits(max_values=10_000))
    assert len(decode.source) < 100_000
    with pytest.raises(DecodeError) as caught:
        decode(b"")
    assert caught.value.code == "budget"


def _outcome(decode: Any, data: bytes) -> Any:
    try:
        return decode(data)
    except DecodeError as error:
        assert error.code != "internal"  # noqa: PT017  # what is caught is told apart here, and refusals go on
        return error.code, error.offset, error.path


def _slow(decode: Any) -> Any:
    return lambda data: decoding.decode(decode.plan, data, limits=LIMITS)


def _mutants(data: bytes, rng: random.Random, count: int) -> list[bytes]:
    found = [data[:n] for n in range(len(data))]
    found += [data[:n] + bytes((data[n] ^ 1 << bit,)) + data[n + 1 :] for n in range(len(data)) for bit in range(8)]
    for _ in range(count):
        mutant = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            mutant[rng.randrange(len(mutant))] = rng.choice((0, 1, 2, 127, 128, 255, rng.randrange(256)))
        at = rng.randrange(len(mutant))
        found.append(bytes(mutant[:at] + mutant[at + rng.randint(0, 3) :]))
    return found


def test_every_truncation_flip_and_mutant_is_a_value_or_a_decode_error_and_both_back_ends_agree() -> None:
    sample = order(parent=order(payment=Voucher(last_four="99"), note=None, tags={}), payment=7)
    data = compile_encoder(OrderCreated)(sample)
    decode = compile_decoder(OrderCreated)
    slow = _slow(decode)
    for mutant in _mutants(data, random.Random(1), 1_500):  # mutants, the same each run
        assert repr(_outcome(decode, mutant)) == repr(_outcome(slow, mutant))


@pytest.mark.parametrize(("decode", "data"), [each[1:] for each in EVENTS], ids=[each[0] for each in EVENTS])
def test_every_truncation_and_every_flipped_bit_of_the_malls_events_is_a_value_or_a_decode_error(
    decode: Any, data: bytes
) -> None:
    assert repr(decode(data)) == repr(_slow(decode)(data))
    for mutant in _mutants(data, random.Random(4), 0):
        _outcome(decode, mutant)


def test_mutants_read_by_a_view_are_values_or_decode_errors_and_both_back_ends_agree() -> None:
    writer = parse(OrderCreated.__avro_schema__)
    reader = parse(
        json.dumps({"type": "record", "name": "OrderCreated", "fields": [{"name": "number", "type": "double"}]})
    )
    data = compile_encoder(OrderCreated)(order())
    _, decode = compile_generic(reader, writer)
    assert decode(data) == {"number": 2.0**40}
    slow = _slow(decode)
    for mutant in _mutants(data, random.Random(2), 1_500):  # mutants, the same each run
        assert repr(_outcome(decode, mutant)) == repr(_outcome(slow, mutant))


def test_random_bytes_are_values_or_decode_errors() -> None:
    decode = compile_decoder(OrderCreated)
    rng = random.Random(3)  # mutants, the same each run
    for _ in range(500):
        _outcome(decode, rng.randbytes(rng.randint(0, 60)))


@pytest.mark.parametrize("value", [0, -1, 63, 64, 8191, 8192, -8193, 2**27, 2**41, 2**55, 2**62, 2**63 - 1, -(2**63)])
def test_numbers_come_back(value: int) -> None:
    written = long_bytes(value)
    assert read_long(written + b"x", 0) == (value, len(written))


@pytest.mark.parametrize(
    ("value", "nearest"),
    [(16_777_217, 16_777_216.0), (16_777_219, 16_777_220.0), (2**62 + 2**38 + 1, 2.0**62 + 2.0**39), (-1, -1.0)],
)
def test_a_long_becomes_the_nearest_float(value: int, nearest: float) -> None:
    """Through a double, the third would be rounded down: its last bit is lost before the tie is seen."""
    assert nearest_float(value) == nearest
