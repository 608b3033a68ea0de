"""Everything that a schema may hold: the 56 features of the generator and the codec, each with values as fastavro takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

Json = Any

SOME_UUID: Final = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
A_WALL_CLOCK: Final = datetime(1960, 1, 1, 1, 2, 3, 4000)  # noqa: DTZ001  # local timestamps have no zone
AN_INSTANT: Final = datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One schema (and those it refers to) and values of it. ``name`` is the test's id; ``event`` the type at the top."""

    name: str
    schema: Json
    values: Sequence[Json]
    others: Mapping[str, Json]

    @property
    def event(self) -> str:
        """Full name of the type at the top."""
        namespace = self.schema.get("namespace")
        return f"{namespace}.{self.schema['name']}" if namespace else str(self.schema["name"])

    @property
    def files(self) -> dict[str, str]:
        """Schema texts by path."""
        return {
            "feature.avsc": json.dumps(self.schema),
            **{path: json.dumps(each) for path, each in self.others.items()},
        }


def record(*fields: Json, name: str = "Thing", namespace: str = "test.things", **rest: Json) -> Json:
    """A record; a field is a dict, or a pair of name and type."""
    listed = [each if isinstance(each, dict) else {"name": each[0], "type": each[1]} for each in fields]
    return {"type": "record", "name": name, "namespace": namespace, **rest, "fields": listed}


def field(name: str, type_: Json, **rest: Json) -> Json:
    """A field with a default or properties."""
    return {"name": name, "type": type_, **rest}


def logical(base: Json, kind: str, **rest: Json) -> Json:
    """A logical type; a base that is a dict (a fixed) keeps its members."""
    return {**(base if isinstance(base, dict) else {"type": base}), "logicalType": kind, **rest}


def fixed(name: str, size: int, **rest: Json) -> Json:
    """A fixed."""
    return {"type": "fixed", "name": name, "size": size, **rest}


def enum(name: str, *symbols: str, **rest: Json) -> Json:
    """An enum."""
    return {"type": "enum", "name": name, "symbols": list(symbols), **rest}


def array(items: Json) -> Json:
    """An array."""
    return {"type": "array", "items": items}


def map_(values: Json) -> Json:
    """A map."""
    return {"type": "map", "values": values}


def feature(name: str, schema: Json, *values: Json, others: Mapping[str, Json] | None = None) -> Feature:
    """One row of the table."""
    return Feature(name=name, schema=schema, values=values, others=others or {})


def one(name: str, type_: Json, *values: Json) -> Feature:
    """A record of one field ``x``, and values of that field."""
    return feature(name, record(("x", type_)), *({"x": value} for value in values))


PLAIN: Final = (
    feature(
        "all primitives",
        record(
            *(("a", "null"), ("b", "boolean"), ("c", "int"), ("d", "long")),
            *(("e", "float"), ("f", "double"), ("g", "bytes"), ("h", "string")),
        ),
        {"a": None, "b": True, "c": -1, "d": 2**53 + 1, "e": 1.5, "f": -2.25, "g": b"\x00\xff", "h": "ü"},
    ),
)

LOGICAL: Final = (
    one("decimal on bytes", logical("bytes", "decimal", precision=12, scale=2), Decimal("12.34"), Decimal("-0.01")),
    one("decimal with trailing zeros", logical("bytes", "decimal", precision=12, scale=4), Decimal("5.0000")),
    one("decimal on fixed", logical(fixed("Money", 8), "decimal", precision=12, scale=2), Decimal("-99.99")),
    feature(
        "decimal on a fixed used twice by name",
        record(("x", logical(fixed("Money", 8), "decimal", precision=12, scale=2)), ("y", "Money")),
        {"x": Decimal("1.00"), "y": Decimal("2.50")},
    ),
    feature(
        "decimal with default",
        record(field("x", logical("bytes", "decimal", precision=6, scale=2), default="\u0004\u00d2")),
        {"x": Decimal("12.34")},
    ),
    one("uuid", logical("string", "uuid"), SOME_UUID),
    one("date", logical("int", "date"), date(1969, 12, 31), date(2024, 2, 29)),
    one("time-millis", logical("int", "time-millis"), time(23, 59, 59, 999000)),
    one("time-micros", logical("long", "time-micros"), time(0, 0, 0, 1)),
    one("timestamp-millis", logical("long", "timestamp-millis"), AN_INSTANT),
    one("timestamp-micros", logical("long", "timestamp-micros"), AN_INSTANT.replace(microsecond=1)),
    one("local-timestamp-millis", logical("long", "local-timestamp-millis"), A_WALL_CLOCK),
    one("local-timestamp-micros", logical("long", "local-timestamp-micros"), A_WALL_CLOCK.replace(microsecond=4)),
    # fastavro has no durations: it sees the twelve bytes, little-endian months, days and milliseconds.
    one("duration", logical(fixed("Span", 12), "duration"), b"\x01\0\0\0\x02\0\0\0\x03\0\0\0"),
    one("unknown logical type", logical("string", "test.phone"), "0"),
    one("optional logical", ["null", logical("long", "timestamp-millis")], None, AN_INSTANT),
    feature(
        "logical in array and map",
        record(("a", array(logical("int", "date"))), ("m", map_(logical("bytes", "decimal", precision=4, scale=1)))),
        {"a": [date(2024, 1, 1)], "m": {"k": Decimal("1.5")}},
    ),
    feature(
        "logical defaults",
        record(
            field("d", logical("int", "date"), default=19724),
            field("t", logical("int", "time-millis"), default=3_600_000),
            field("u", logical("long", "time-micros"), default=1),
            field("i", logical("long", "timestamp-micros"), default=-1),
            field("l", logical("long", "local-timestamp-millis"), default=1),
            field("g", logical("string", "uuid"), default=str(SOME_UUID)),
            field("h", logical(fixed("Id", 16), "uuid"), default="\u0000" * 15 + "\u0001"),
        ),
        {
            "d": date(2024, 1, 1),
            "t": time(1),
            "u": time(0, 0, 0, 1),
            "i": AN_INSTANT,
            "l": A_WALL_CLOCK,
            "g": SOME_UUID,
            "h": SOME_UUID.bytes,
        },
    ),
)

_CARD: Final = record(("number", "string"), name="Card", namespace="test.things")
_CASH: Final = record(("coins", "int"), name="Cash", namespace="test.things")
_TWIN: Final = record(("number", "string"), name="Twin", namespace="test.things")

UNIONS: Final = (
    one(
        "union of distinct records",
        ["null", _CARD, _CASH],
        *(None, ("test.things.Card", {"number": "1"}), ("test.things.Cash", {"coins": 3})),
    ),
    one(
        "union of records of one shape",
        [_CARD, _TWIN],
        *(("test.things.Card", {"number": "1"}), ("test.things.Twin", {"number": "2"})),
    ),
    one("union of scalars with null", ["null", "string", "long", "boolean"], None, "a", 7, False),
    one("union of int and long", ["int", "long"], 1, 2**40),
    one("union of enum and string", [enum("Side", "LEFT", "RIGHT"), "string"], "other"),
    one("union of array and map", [array("int"), map_("int")], [1, 2], {"a": 1}),
    one("array of union of records", array([_CARD, _CASH]), [("test.things.Cash", {"coins": 1})], []),
    one("map of union with array", map_(["null", array("string")]), {"a": None, "b": ["x"]}),
)

NESTING: Final = (
    one("array of array of map of record", array(array(map_(_CARD))), [[{"k": {"number": "1"}}], []]),
    feature(
        "tree through array, optional and map",
        record(("children", array("Thing")), ("parent", ["null", "Thing"]), ("named", map_("Thing"))),
        {"children": [{"children": [], "parent": None, "named": {}}], "parent": None, "named": {}},
    ),
    feature(
        "mutual recursion",
        record(("next", ["null", record(("back", ["null", "Thing"]), name="Other")])),
        {"next": {"back": {"next": None}}},
    ),
)

ENUMS: Final = (
    feature(
        "enum with its own default and a field default",
        record(field("x", enum("Side", "UNKNOWN", "LEFT", default="UNKNOWN"), default="LEFT")),
        {"x": "UNKNOWN"},
    ),
    one("enum symbols that are keywords", enum("Word", "None", "class", "True", "async"), "None", "async"),
    one("enum symbols that enums use", enum("Word", "name", "value", "mro", "_hidden", "str"), "_hidden", "mro", "str"),
    one("enum symbols that differ in case", enum("Word", "a", "A"), "a", "A"),
)

FIELDS: Final = (
    feature(
        "field names that are keywords",
        record(*((name, "int") for name in ("from", "class", "None", "lambda", "yield"))),
        {"from": 1, "class": 2, "None": 3, "lambda": 4, "yield": 5},
    ),
    feature(
        "field names that are builtins",
        record(
            *(("str", "string"), ("int", "int"), ("bytes", "bytes"), ("list", array("string")), ("dict", map_("long"))),
            *(
                field("type", "string", default="t"),
                field("tuple", "int", default=1),
                field("staticmethod", "int", default=2),
            ),
            *(("bool", "boolean"), ("float", "double"), ("object", "long")),
        ),
        {
            "str": "s",
            "int": 1,
            "bytes": b"b",
            "list": ["l"],
            "dict": {"d": 1},
            "type": "t",
            "tuple": 3,
            "staticmethod": 4,
            "bool": True,
            "float": 0.5,
            "object": 6,
        },
    ),
    feature(
        "field names from typing and datetime",
        record(
            *(("ClassVar", "int"), ("typing", "int"), ("datetime", logical("long", "timestamp-micros"))),
            *(("date", logical("int", "date")), ("Decimal", logical("bytes", "decimal", precision=3, scale=1))),
        ),
        {"ClassVar": 1, "typing": 2, "datetime": AN_INSTANT, "date": date(2024, 1, 1), "Decimal": Decimal("1.0")},
    ),
    feature(
        "field names of interfaces",
        record(*((name, "string") for name in ("schema", "json", "copy", "self", "cls", "data", "fields", "dict"))),
        {name: name for name in ("schema", "json", "copy", "self", "cls", "data", "fields", "dict")},
    ),
    feature(
        "field names with underscores",
        record(*((name, "int") for name in ("_private", "__dunder__", "_", "__init__", "_1", "private"))),
        {"_private": 1, "__dunder__": 2, "_": 3, "__init__": 4, "_1": 5, "private": 6},
    ),
    feature("field names that differ in case", record(("a", "int"), ("A", "int")), {"a": 1, "A": 2}),
    feature(
        "required field after one with a default",
        record(field("a", "int", default=1), ("b", "int")),
        {"a": 2, "b": 3},
    ),
)

NAMES: Final = (
    feature(
        "one simple name in two namespaces, and a union of both",
        record(
            (
                "x",
                [
                    record(("street", "string"), name="Address", namespace="test.shipping"),
                    record(("account", "string"), name="Address", namespace="test.billing"),
                ],
            ),
        ),
        {"x": ("test.shipping.Address", {"street": "s"})},
        {"x": ("test.billing.Address", {"account": "a"})},
    ),
    feature("namespace of keywords", record(("x", "int"), namespace="test.class.import"), {"x": 1}),
    feature(
        "recursion across namespaces",
        record(("x", ["null", record(("y", array("test.things.Thing")), name="Part", namespace="test.parts")])),
        {"x": {"y": [{"x": None}]}},
    ),
    feature("record named List", record(("x", array("int")), name="List"), {"x": [1]}),
    feature(
        "lower-case record, named like a builtin",
        record(("x", "test.things.str"), ("y", "string"), name="event"),
        {"x": {"z": "1"}, "y": "2"},
        others={"str.avsc": record(("z", "string"), name="str")},
    ),
)

DEFAULTS: Final = (
    feature(
        "default scalars",
        record(
            field("n", "null", default=None),
            field("b", "boolean", default=True),
            field("i", "int", default=-(2**31)),
            field("l", "long", default=2**53 + 1),
            field("f", "float", default=0.1),
            field("d", "double", default=1),
            field("s", "string", default="a\n\"'\\{}\u0000\u2028é\U0001f600"),
        ),
        {"n": None, "b": False, "i": 1, "l": 2, "f": 0.5, "d": 2.5, "s": ""},
    ),
    feature("default bytes", record(field("x", "bytes", default='\u00ff\u0000"')), {"x": b"1"}),
    feature("default fixed", record(field("x", fixed("Seal", 2), default="\u00ff\u0000")), {"x": b"12"}),
    feature(
        "default enum and array of enum",
        record(
            field("x", enum("Side", "LEFT", "RIGHT"), default="RIGHT"),
            field("y", array("Side"), default=["LEFT", "RIGHT"]),
        ),
        {"x": "LEFT", "y": ["LEFT"]},
    ),
    feature(
        "default containers",
        record(
            field("a", array("int"), default=[1, 2]), field("m", map_(array("string")), default={"k": ["v"], "": []})
        ),
        {"a": [], "m": {}},
    ),
    feature(
        "default record",
        record(field("x", record(("a", "int"), field("b", "string", default="b"), name="Inner"), default={"a": 1})),
        {"x": {"a": 2, "b": "c"}},
    ),
    feature(
        "default array of records",
        record(field("x", array(_CARD), default=[{"number": "1"}, {"number": "2"}])),
        {"x": [{"number": "3"}]},
    ),
    feature(
        "default of a union whose first branch is not null",
        record(field("x", ["string", "null"], default="s"), field("y", ["null", "int"], default=None)),
        {"x": None, "y": 1},
    ),
)

TEXT: Final = (
    feature(
        "hostile docs",
        record(
            field("a", "int", doc='quotes " and """ and \'\'\''),
            field("b", "int", doc="backslash at the end \\"),
            field("c", "int", doc="lines\nand\n\n  indented \U0001f600"),
            field("d", "int", doc='ends in "'),
            field("e", "int", doc=" \n"),
            field("f", "int", doc="\u202etfel ot thgir\u2028"),
            doc='"""\nimport os\nos.abort()\n"""',
        ),
        dict.fromkeys("abcdef", 1),
    ),
    feature(
        "aliases, order and properties stay in the text",
        record(
            field("x", "int", order="descending", aliases=["old_x"], custom={"deep": [1, 2.5, None]}),
            aliases=["OldThing"],
            owner="@team",
        ),
        {"x": 1},
    ),
)

FEATURES: Final = (*PLAIN, *LOGICAL, *UNIONS, *NESTING, *ENUMS, *FIELDS, *NAMES, *DEFAULTS, *TEXT)
"""All 56."""
