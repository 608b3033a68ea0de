"""What one schema wrote, another reads: evolution, promotion, meaning; the resolver accepts what the checker accepts."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.treaty_avro.generated import schemas, untagged, values
from tests.treaty_avro.orders import SCHEMA, Line, OrderCreated, order
from treaty_avro import (
    DecodeError,
    ResolutionError,
    Schema,
    SchemaError,
    SchemaLimit,
    Tagged,
    compile_decoder,
    compile_encoder,
    compile_generic,
    incompatibilities,
    parse,
    resolve,
    schema_of,
)


def _record(*fields: Any, name: str = "R", **more: Any) -> Schema:
    return parse(json.dumps({"type": "record", "name": name, "fields": list(fields), **more}), rules="stored")


def _f(type_: Any, name: str = "f", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def _read(writer: Any, reader: Any, value: Any) -> Any:
    """``value`` in a field of type ``writer``, as a field of type ``reader``."""
    old, new = _record(_f(writer)), _record(_f(reader))
    read = compile_generic(new, old)[1](compile_generic(old)[0]({"f": value}))
    assert isinstance(read, dict)
    return read["f"]


def _logical(base: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": base, "logicalType": name, **more}


def _enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


_MILLIS = _logical("long", "timestamp-millis")
_MICROS = _logical("long", "timestamp-micros")
_NANOS = _logical("long", "timestamp-nanos")
_INSTANT = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("writer", "reader", "value", "read"),
    [
        ("int", "long", 5, 5),
        ("int", "float", 16_777_217, 16_777_216.0),
        ("int", "double", 5, 5.0),
        ("long", "float", 2**62 + 2**38 + 1, 2.0**62 + 2.0**39),
        ("long", "double", 2**53 + 1, 2.0**53),
        ("float", "double", 0.5, 0.5),
        ("string", "bytes", "ü", b"\xc3\xbc"),
        ("bytes", "string", b"\xc3\xbc", "ü"),
        ("int", ["null", "int"], 5, 5),
        (["null", "int"], "int", 5, 5),
        (["null", "int"], ["int", "null"], None, None),
        ("int", ["null", "string", "double", "long"], 5, Tagged("double", 5.0)),
        ("int", ["string", "long", "int"], 5, Tagged("int", 5)),
        (["int", "string"], ["string", "long"], Tagged("string", "a"), Tagged("string", "a")),
        (_enum("A", "B"), _enum("B", "A"), "A", "A"),
        (_enum("A", "B"), _enum("A", default="A"), "B", "A"),
        (_enum("A", "B"), _enum("A"), "A", "A"),
        (["null", _enum("A", "B")], ["null", _enum("A")], "A", "A"),
        ({"type": "array", "items": "int"}, {"type": "array", "items": "double"}, [1, 2], [1.0, 2.0]),
        ({"type": "map", "values": "int"}, {"type": "map", "values": ["null", "long"]}, {"a": 1}, {"a": 1}),
        ("long", _MILLIS, 1, datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)),
        (_logical("long", "unheard-of"), _MILLIS, 0, datetime(1970, 1, 1, tzinfo=UTC)),
        (_MILLIS, "long", _INSTANT.replace(microsecond=999_000), -1),
        (_MILLIS, "double", _INSTANT.replace(microsecond=999_000), -1.0),
        (_MILLIS, _MICROS, _INSTANT.replace(microsecond=999_000), _INSTANT.replace(microsecond=999_000)),
        (_MICROS, _MILLIS, _INSTANT, _INSTANT.replace(microsecond=999_000)),
        (_MICROS, _NANOS, _INSTANT, -1_000),
        (_NANOS, _MICROS, -1, _INSTANT),
        (_logical("int", "time-millis"), _logical("long", "time-micros"), time(1), time(1)),
        (
            _logical("bytes", "decimal", precision=5, scale=2),
            _logical("bytes", "decimal", precision=9, scale=4),
            Decimal("1.25"),
            Decimal("1.2500"),
        ),
        (
            _logical("bytes", "decimal", precision=9, scale=4),
            _logical("bytes", "decimal", precision=5, scale=2),
            Decimal("1.2500"),
            Decimal("1.25"),
        ),
        ("bytes", _logical("bytes", "decimal", precision=5, scale=2), b"\x7d", Decimal("1.25")),
        (_logical("bytes", "decimal", precision=5, scale=2), "bytes", Decimal("1.25"), b"\x7d"),
    ],
)
def test_a_value_is_read_as_the_readers_type(writer: Any, reader: Any, value: Any, read: Any) -> None:
    found = _read(writer, reader, value)
    assert found == read
    assert type(found) is type(read)
    assert not isinstance(read, Decimal) or str(found) == str(read)


@pytest.mark.parametrize(
    ("writer", "reader", "value", "code", "reason"),
    [
        (["null", "int"], "int", None, "unresolvable", "null is not read as int"),
        (_enum("A", "B"), _enum("A"), "B", "enum", "symbol 'B' is not known to E"),
        (
            {"type": "array", "items": "string"},
            {"type": "array", "items": "int"},
            ["a"],
            "unresolvable",
            "string is not read as int",
        ),
        ("bytes", "string", b"\xff", "utf8", "the text is not UTF-8"),
        (
            _logical("bytes", "decimal", precision=9, scale=4),
            _logical("bytes", "decimal", precision=9, scale=2),
            Decimal("1.2345"),
            "logical",
            "has 4 decimals, the schema keeps 2",
        ),
        (
            _logical("bytes", "decimal", precision=9, scale=2),
            _logical("bytes", "decimal", precision=5, scale=2),
            Decimal("1234.56"),
            "logical",
            "has more than 5 digits with the 2 decimals that the schema keeps",
        ),
        (
            _MILLIS,
            _NANOS,
            datetime(9999, 1, 1, tzinfo=UTC),
            "logical",
            "253370764800000 does not fit the reader's unit",
        ),
    ],
)
def test_what_only_some_data_meets_is_refused_when_it_is_met(
    writer: Any, reader: Any, value: Any, code: str, reason: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        _read(writer, reader, value)
    assert caught.value.code == code
    assert caught.value.reason == reason
    assert caught.value.path.startswith("f")


@pytest.mark.parametrize(
    ("writer", "reader", "text"),
    [
        ("string", "int", "/fields/0/type: reader type: INT not compatible with writer type: STRING"),
        (_logical("int", "date"), _MILLIS, "/fields/0/type: a date is not read as a timestamp-millis"),
        (
            _MILLIS,
            ["null", _logical("long", "local-timestamp-millis")],
            "a timestamp-millis is not read as a local-timestamp-millis",
        ),
        (_logical("string", "uuid"), _logical("bytes", "decimal", precision=4), "a uuid is not read as a decimal"),
        ({"type": "fixed", "name": "F", "size": 1}, {"type": "fixed", "name": "F", "size": 2}, "expected: 1, found: 2"),
        ([], "int", "R cannot read this writer schema"),
    ],
)
def test_what_every_datum_meets_is_refused_at_once(writer: Any, reader: Any, text: str) -> None:
    with pytest.raises(ResolutionError) as caught:
        resolve(_record(_f(writer)), _record(_f(reader)))
    assert text in str(caught.value)


def test_fields_are_matched_by_name_and_alias_skipped_and_defaulted() -> None:
    old = _record(
        _f("int", "gone"), _f("string", "was"), _f({"type": "map", "values": "int"}, "also_gone"), _f("int", "b")
    )
    new = _record(
        _f("double", "b"), _f("string", "now", aliases=["was"]), _f(["null", "int"], "more", default=None), name="R"
    )
    data = compile_generic(old)[0]({"gone": 300, "was": "x", "also_gone": {"a": 300, "b": 2}, "b": 7})
    assert compile_generic(new, old)[1](data) == {"b": 7.0, "now": "x", "more": None}


def test_two_fields_may_read_one_field_of_the_writer() -> None:
    old = _record(_f("int", "a"), _f("string", "z"))
    new = _record(_f("long", "a"), _f("double", "b", aliases=["a"]), _f("string", "z"))
    assert not incompatibilities(new, old)
    assert compile_generic(new, old)[1](b"\x0a\x02x") == {"a": 5, "b": 5.0, "z": "x"}


def test_a_field_without_default_that_the_writer_lacks_is_refused() -> None:
    with pytest.raises(ResolutionError, match="/fields/0: f"):
        resolve(_record(), _record(_f("int")))


def test_a_record_is_matched_by_alias() -> None:
    old, new = _record(name="a.Old"), _record(name="b.New", aliases=["a.Old"])
    assert compile_generic(new, old)[1](b"") == {}
    with pytest.raises(ResolutionError):
        resolve(new, old)


def test_a_branch_is_matched_by_full_name_before_simple_name() -> None:
    def branch(namespace: str) -> dict[str, Any]:
        return {"type": "record", "name": "P", "namespace": namespace, "fields": []}

    old = _record(_f([branch("a"), branch("b")]))
    new = _record(_f([branch("c"), branch("b"), branch("a")]))
    decode = compile_generic(new, old)[1]
    assert decode(b"\x00") == {"f": Tagged("a.P", {})}
    assert decode(b"\x02") == {"f": Tagged("b.P", {})}
    assert compile_generic(_record(_f([branch("d"), "null"])), old)[1](b"\x02") == {"f": {}}


@pytest.mark.parametrize(
    ("type_", "default", "value"),
    [
        ("null", None, None),
        ("boolean", True, True),
        ("long", 2**53 + 1, 2**53 + 1),
        ("float", 0.1, 0.10000000149011612),
        ("double", 1, 1.0),
        ("bytes", "ÿ\x00", b"\xff\x00"),
        ({"type": "fixed", "name": "F", "size": 2}, "ab", b"ab"),
        (_enum("A", "B"), "B", "B"),
        (_logical("bytes", "decimal", precision=4, scale=2), "\x7d", Decimal("1.25")),
        (_MILLIS, -1, _INSTANT.replace(microsecond=999_000)),
        (["int", "null"], 5, 5),
        (["null", "int", "string"], "x", Tagged("string", "x")),
        ({"type": "array", "items": "int"}, [1], [1]),
        ({"type": "map", "values": {"type": "array", "items": "int"}}, {"a": [1]}, {"a": [1]}),
        (
            {"type": "record", "name": "D", "fields": [_f("int", "x", default=3), _f("int", "y")]},
            {"y": 4},
            {"x": 3, "y": 4},
        ),
    ],
)
def test_defaults_are_values_of_their_type_and_fresh_for_each_datum(type_: Any, default: Any, value: Any) -> None:
    decode = compile_generic(_record(_f(type_, default=default)), _record())[1]
    first, second = decode(b""), decode(b"")
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first == second == {"f": value}
    assert type(first["f"]) is type(value)
    assert not isinstance(value, list | dict) or first["f"] is not second["f"]


@pytest.mark.parametrize(
    ("type_", "default", "reason"),
    [
        (_enum("A"), "B", "'B' is no symbol of E"),
        ({"type": "fixed", "name": "F", "size": 2}, "abc", "3 bytes, F has 2"),
        ("bytes", "\u0100", "a code point above 255 is no byte"),
        (_logical("bytes", "decimal", precision=1), "\x7d", "as decimal: has more than 1 digits"),
        (_logical("int", "date"), 2**31 - 1, "as date: "),
        ({"type": "array", "items": "int"}, ["x"], "a str is not int"),
        ("int", 2**31, "a number beyond the range of int"),
        ("float", 10**39, "a number beyond the range of float"),
        ("double", 10**400, "a number beyond the range of double"),
        (
            {"type": "record", "name": "D", "fields": [_f("int", "y")]},
            {},
            "y is missing, and has no default of its own",
        ),
    ],
)
def test_a_default_that_is_no_value_is_refused_when_it_is_used(type_: Any, default: Any, reason: str) -> None:
    reader = _record(_f(type_, default=default))
    compile_generic(reader)
    with pytest.raises(ResolutionError) as caught:
        compile_generic(reader, _record())
    assert reason in str(caught.value)


def test_defaults_that_double_at_every_level_are_refused() -> None:
    inner: Any = {"type": "record", "name": "R0", "fields": [_f("int", "x", default=0)]}
    for n in range(1, 20):
        fields = [_f(inner, "a", default={}), _f(f"R{n - 1}", "b", default={})]
        inner = {"type": "record", "name": f"R{n}", "fields": fields}
    with pytest.raises(SchemaLimit):
        compile_generic(_record(_f(inner, default={})), _record())


def test_a_typed_reader_of_an_older_writer_gets_its_own_classes() -> None:
    old = {**SCHEMA, "fields": [field for field in SCHEMA["fields"] if field["name"] not in ("note", "parent")]}
    writer = parse(json.dumps(old))
    data = compile_encoder(OrderCreated)(order(note=None, parent=None))
    value = compile_generic(schema_of(OrderCreated))[1](data)
    assert isinstance(value, dict)
    del value["note"], value["parent"]
    read = compile_decoder(OrderCreated, writer)(compile_generic(writer)[0](value))
    assert read == order(note=None)
    assert type(read.lines[0]) is Line


def test_a_chain_of_types_too_deep_for_the_stack_is_a_schema_limit() -> None:
    last = parse('{"type": "record", "name": "R0", "fields": []}')
    for n in range(1, 260):
        last = parse(json.dumps({"type": "record", "name": f"R{n}", "fields": [_f(f"R{n - 1}")]}), references=[last])
    with pytest.raises(SchemaLimit):
        compile_generic(last)


_SETTINGS = settings(
    deadline=None,
    max_examples=100,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _changed(document: Any, draw: Any) -> Any:
    """A reader's schema near the writer's: fields dropped, added, renamed, promoted; symbols and branches changed."""
    if isinstance(document, list):
        kept = [_changed(branch, draw) for branch in document if draw(st.integers(0, 5))]
        return kept or document
    if isinstance(document, str):
        wider = {"int": "long", "float": "double", "string": "bytes", "long": "double"}
        return wider.get(document, document) if draw(st.integers(0, 3)) == 0 else document
    document = dict(document)
    if document["type"] == "record":
        fields = [{**f, "type": _changed(f["type"], draw)} for f in document["fields"] if draw(st.integers(0, 4))]
        if draw(st.booleans()):
            fields.append(_f({"type": "array", "items": "int"}, "added", default=[]))
        document["fields"] = fields
    elif document["type"] == "array":
        document["items"] = _changed(document["items"], draw)
    elif document["type"] == "map":
        document["values"] = _changed(document["values"], draw)
    elif document["type"] == "enum" and draw(st.booleans()):
        document["symbols"] = document["symbols"][:1]
        document["default"] = document["symbols"][0]
    return document


@_SETTINGS
@given(st.data())
def test_what_the_checker_accepts_every_datum_survives_and_reads_as_fastavro_reads_it(data: st.DataObject) -> None:
    writer = data.draw(schemas())
    try:
        reader = parse(json.dumps(_changed(json.loads(writer.text), data.draw)))
    except SchemaError:
        # A dropped field may have defined a type that another one names; two branches may have become one kind.
        return
    value = data.draw(values(writer.root))
    written = compile_generic(writer)[0](value)
    if incompatibilities(reader, writer):
        return
    read = compile_generic(reader, writer)[1](written)
    stream = io.BytesIO(written)
    try:
        expected = fastavro.schemaless_reader(stream, json.loads(writer.text), json.loads(reader.text))
    except (fastavro.read.SchemaResolutionError, ValueError, KeyError):
        # fastavro does not resolve string and bytes everywhere, nor some unions.
        return
    assert untagged(read) == expected
