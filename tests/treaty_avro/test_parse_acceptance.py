"""Which schema texts are read, refused and merely noted."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from dataclasses import asdict, fields
from typing import Any

import pytest

from tests.treaty_avro.java import TEXTS, field, record
from treaty_avro import Primitive, Record, Schema, SchemaError, SchemaLimit, Union, parse
from treaty_avro.schema.model import (
    Array,
    Enum,
    Field,
    Fixed,
    Logical,
    Map,
    bare_field,
    bare_primitive,
)


def root_record(schema: Schema) -> Record:
    assert isinstance(schema.root, Record)
    return schema.root


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case["text"][:60])
def test_a_text_is_accepted_exactly_when_avro_java_accepts_it(case: dict[str, Any]) -> None:
    if case.get("refused"):
        with pytest.raises(SchemaError) as refusal:
            parse(case["text"])
        assert refusal.value.line == 1
        assert refusal.value.column >= 1
    else:
        parse(case["text"])


def test_the_model_holds_every_part_of_a_text() -> None:
    schema = parse(
        record(
            {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"], "default": "B", "doc": "d"}},
            {"name": "f", "type": {"type": "fixed", "name": "b.F", "size": 4, "aliases": ["G", ".H", "c.I"]}},
            {
                "name": "l",
                "type": {"type": "array", "items": "E"},
                "order": "IGNORE",
                "aliases": ["m", "m"],
                "unit": "ms",
            },
            {"name": "m", "type": {"type": "map", "values": ["null", "R"]}, "default": {}},
            doc="about",
        )
    )
    root = root_record(schema)
    e, f, items, m = root.fields
    assert (root.name.full, root.name.namespace, root.name.simple, root.doc) == ("a.R", "a", "R", "about")
    assert isinstance(e.type, Enum)
    assert (e.type.name.full, e.type.symbols, e.type.default, e.type.doc) == ("a.E", ("A", "B"), "B", "d")
    assert isinstance(f.type, Fixed)
    assert (f.type.size, [alias.full for alias in f.type.aliases]) == (4, ["b.G", "H", "c.I"])
    assert isinstance(items.type, Array)
    assert items.type.items is e.type
    assert (items.order, items.aliases, items.props, items.index) == ("ignore", ("m",), {"unit": "ms"}, 2)
    assert isinstance(m.type, Map)
    assert isinstance(m.type.values, Union)
    assert m.type.values.branches[1] is root
    assert list(schema.named) == ["a.R", "a.E", "b.F"]
    assert schema.name == "a.R"


def test_each_occurrence_of_an_unnamed_type_is_its_own_object() -> None:
    one, two = root_record(parse(record({"name": "a", "type": "int"}, {"name": "b", "type": "int"}))).fields
    assert one.type is not two.type
    assert (one.type.pointer, two.type.pointer) == ("/fields/0/type", "/fields/1/type")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('"Lien"', "unknown type 'Lien'"),
        ('{"type": {"type": "int"}}', "only a field's type"),
        ('{"type": "Line"}', "the name alone"),
        ("{}", "needs a type"),
        ("7", "is not a schema"),
        ('[["int"]]', "a union stands directly in a union"),
        ('["int", {"type": "int"}]', "int stands twice"),
        ('{"type": "record", "name": "string", "fields": []}', "is a primitive type"),
        ('{"type": "record", "name": "1R", "fields": []}', "is not a name"),
        ('{"type": "record", "name": "Ä", "fields": []}', "is not a name"),
        ('{"type": "record", "name": "R", "namespace": "a..b", "fields": []}', "is not a namespace"),
        ('{"type": "record", "name": "R"}', "no list of fields"),
        ('{"type": "record", "fields": []}', "has no name"),
        ('{"type": "enum", "name": "E", "symbols": ["A", "A"]}', "stands twice"),
        ('{"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}', "is not a symbol"),
        ('{"type": "enum", "name": "E", "symbols": ["A-"]}', "is not a symbol"),
        ('{"type": "fixed", "name": "F", "size": 2147483640}', "needs a size"),
        ('{"type": "fixed", "name": "F", "size": true}', "needs a size"),
        ('{"type": "array"}', "has no items"),
        (field("int", order="up"), "is not an order"),
        (field("int", aliases="y"), "a list of strings"),
        (field("int", default="1"), 'invalid default for field x: "1" is not an int'),
        (record({"name": "x", "type": "int"}, {"name": "x", "type": "int"}), "stands twice"),
        (record({"name": "x"}), "has no type"),
        (record({"name": "x", "type": {"type": "record", "name": "R", "fields": []}}), "can't redefine a.R"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(SchemaError, match=r"order\.avsc:1:") as refusal:
        parse(text, path="order.avsc")
    assert reason in refusal.value.reason


def test_a_refusal_says_where_and_what_was_probably_meant() -> None:
    text = (
        '{"type": "record", "name": "Order", "namespace": "mall.order", "fields": [\n'
        '  {"name": "line", "type": {"type": "record", "name": "Line", "fields": []}},\n'
        '  {"name": "second",\n'
        '   "type": "Lien"}\n'
        "]}"
    )
    with pytest.raises(SchemaError) as refusal:
        parse(text, path="order.avsc")
    message = "order.avsc:4:12: /fields/1/type: unknown type 'mall.order.Lien'; did you mean 'mall.order.Line'?"
    assert str(refusal.value) == message
    assert (refusal.value.path, refusal.value.line, refusal.value.column) == ("order.avsc", 4, 12)


def test_a_name_prefers_its_namespace_and_falls_back_to_the_bare_name() -> None:
    schema = parse(
        '[{"type": "enum", "name": "E", "symbols": ["A"]},'
        ' {"type": "record", "name": "a.R", "fields": [{"name": "x", "type": "E"},'
        '  {"name": "y", "type": {"type": "fixed", "name": "E", "size": 1}}, {"name": "z", "type": "E"}]}]'
    )
    assert isinstance(schema.root, Union)
    bare, holder = schema.root.branches
    assert isinstance(holder, Record)
    assert holder.fields[0].type is bare
    assert holder.fields[2].type is holder.fields[1].type


def test_a_use_before_the_definition_is_accepted_and_noted() -> None:
    schema = parse('[{"type": "record", "name": "a.A", "fields": [{"name": "b", "type": "B"}]},'
                   ' {"type": "fixed", "name": "a.B", "size": 1}]')  # fmt: skip
    assert isinstance(schema.root, Union)
    user, used = schema.root.branches
    assert isinstance(user, Record)
    assert user.fields[0].type is used
    assert [(notice.pointer, notice.reason.split()[0]) for notice in schema.warnings] == [("/0/fields/0/type", "a.B")]


def test_an_equal_second_definition_is_the_first_type() -> None:
    fixed = {"type": "fixed", "name": "F", "size": 1}
    root = root_record(parse(record({"name": "a", "type": fixed}, {"name": "b", "type": {**fixed, "doc": "again"}})))
    assert root.fields[0].type is root.fields[1].type
    with pytest.raises(SchemaError, match=r"can't redefine a\.F"):
        parse(record({"name": "a", "type": fixed}, {"name": "b", "type": {**fixed, "size": 2}}))


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"type": "fixed", "name": "F", "size": 1, "doc": 5}', "/doc"),
        ('{"type": "fixed", "name": "F", "size": 1, "namespace": 5}', "/namespace"),
        ('{"type": "enum", "name": "E", "symbols": [], "default": 5}', "/default"),
        ('{"type": "string", "logicalType": "date"}', "/logicalType"),
        ('{"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 4}', "/logicalType"),
        (field("int", logicalType="date"), "/fields/0/logicalType"),
    ],
)
def test_what_java_ignores_is_ignored_and_noted(text: str, pointer: str) -> None:
    assert [notice.pointer for notice in parse(text).warnings] == [pointer]


@pytest.mark.parametrize(
    ("schema", "logical"),
    [
        ({"type": "int", "logicalType": "date"}, Logical("date")),
        ({"type": "long", "logicalType": "timestamp-nanos"}, Logical("timestamp-nanos")),
        ({"type": "string", "logicalType": "uuid"}, Logical("uuid")),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, Logical("decimal", 9, 2)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9}, Logical("decimal", 9, 0)),
        ({"type": "fixed", "name": "D", "size": 4, "logicalType": "decimal", "precision": 9}, Logical("decimal", 9, 0)),
        ({"type": "fixed", "name": "D", "size": 4, "logicalType": "decimal", "precision": 10}, None),
        ({"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}, Logical("duration")),
        ({"type": "fixed", "name": "D", "size": 16, "logicalType": "uuid"}, Logical("uuid")),
        ({"type": "fixed", "name": "D", "size": 15, "logicalType": "uuid"}, None),
        ({"type": "bytes", "logicalType": "decimal", "precision": 0}, None),
        ({"type": "bytes", "logicalType": "decimal", "precision": True}, None),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2147483648}, None),
        ({"type": "bytes", "logicalType": "big-decimal"}, None),
        ({"type": "int", "logicalType": "mine"}, None),
        ({"type": "int", "logicalType": "timestamp-millis"}, None),
    ],
)
def test_a_logical_type_counts_only_where_it_is_valid(schema: dict[str, Any], logical: Logical | None) -> None:
    root = parse(json.dumps(schema)).root
    assert root.logical == logical
    assert root.props["logicalType"] == schema["logicalType"]


def test_stored_texts_keep_defaults_and_namespaces_that_new_ones_may_not_have() -> None:
    text = field("int", default="x").replace('"a.R"', '"1.R"')
    with pytest.raises(SchemaError):
        parse(text)
    assert root_record(parse(text, rules="stored")).fields[0].default == "x"
    with pytest.raises(SchemaError, match="is not a name"):
        parse('{"type": "record", "name": "1R", "fields": []}', rules="stored")


def test_a_schema_is_read_100_levels_deep_and_refused_at_101() -> None:
    def nested(levels: int) -> str:
        return '{"type": "array", "items": ' * levels + '"int"' + "}" * levels

    parse(nested(100))
    with pytest.raises(SchemaLimit, match="nested 101 levels deep; the limit is 100"):
        parse(nested(101))


def test_little_stack_left_is_a_limit_and_no_crash() -> None:
    text = '{"type": "array", "items": ' * 90 + '"int"' + "}" * 90

    def below(frames: int) -> Schema:
        return below(frames - 1) if frames else parse(text)

    used = len(inspect.stack())
    with pytest.raises(SchemaLimit, match="the stack that is left"):
        below(sys.getrecursionlimit() - used - 100)


def test_schemas_are_equal_as_java_says() -> None:
    def fixed(**rest: Any) -> Schema:
        return parse(json.dumps({"type": "fixed", "name": "F", "size": 1, **rest}))

    assert fixed() == fixed(doc="d", aliases=["G"])
    assert hash(fixed()) == hash(fixed(doc="d"))
    assert fixed() != fixed(unit="ms")
    assert fixed(n=1) != fixed(n=1.0)
    assert fixed(n=1) != fixed(n=True)
    assert fixed(n={"a": [0.0], "b": 2}) == fixed(n={"b": 2, "a": [0.0]})
    assert parse(field("double", default=0.0)) != parse(field("double", default=-0.0))
    assert parse(field("double", default=0.0)) != parse(field("double"))
    assert parse('"int"') != parse('"long"')
    assert parse('["int"]') != parse('["int", "long"]')
    recursive = field(["null", "R"], default=None)
    assert parse(recursive) == parse(recursive)
    assert parse('"int"') != "int"


def test_types_of_references_are_known_and_so_are_theirs() -> None:
    line = parse('{"type": "fixed", "name": "a.Line", "size": 1}')
    order = parse(record({"name": "l", "type": "Line"}, name="a.Order"), references=[line])
    top = parse(record({"name": "o", "type": "Order"}, {"name": "l", "type": "Line"}), references=[order])
    assert root_record(top).fields[1].type is line.root
    assert list(top.named) == ["a.R"]
    assert set(top.known()) == {"a.R", "a.Order", "a.Line"}


def test_a_place_is_found_by_its_pointer() -> None:
    schema = parse('{"type": "array",\n "items": "int"}')
    span = schema.locate("/items")
    assert (span.line, span.column, span.end_line, span.end_column) == (2, 11, 2, 16)
    assert schema.locate("/items", key=True).column == 2
    with pytest.raises(KeyError):
        schema.locate("/values")


def test_importing_the_package_loads_nothing_but_the_standard_library() -> None:
    program = (
        "import sys; before = set(sys.modules); import treaty_avro;"
        "loaded = {name.split('.')[0] for name in set(sys.modules) - before} - {'treaty_avro'};"
        "print(sorted(loaded - sys.stdlib_module_names))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_primitive_object_keeps_its_properties() -> None:
    root = parse('{"type": "string", "doc": "dropped", "order": "kept", "default": 1}').root
    assert isinstance(root, Primitive)
    assert root.props == {"order": "kept", "default": 1}


def test_types_and_fields_made_without_their_constructor_are_complete() -> None:
    """An attribute that joins the classes must join ``bare_primitive`` and ``bare_field`` too."""
    quick, full = bare_primitive("int", "/p"), Primitive(kind="int", pointer="/p")
    assert {each.name: getattr(quick, each.name) for each in fields(full)} == asdict(full)
    field_, whole = bare_field("f", quick, 3, "/f"), Field(name="f", type=quick, index=3, pointer="/f")
    for each in fields(whole):
        assert getattr(field_, each.name) == getattr(whole, each.name), each.name
    assert field_.props is not bare_field("f", quick, 3, "/f").props
