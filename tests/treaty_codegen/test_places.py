"""Places and facts: a change knows the file, the pointer and the line where it can be seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.treaty_codegen.schema_texts import array, enum, event, f, mapping, record, topics
from treaty_avro import parse
from treaty_codegen import load_catalog
from treaty_codegen.diff import Change, Place, describe, diff, is_same_json
from treaty_codegen.places import Places

TEXT = """{
  "type": "record",
  "namespace": "mall.order",
  "name": "OrderPaid",
  "doc": "订单付款。",
  "fields": [
    {"name": "id", "type": "long", "doc": "编号"},
    {"name": "lines", "type": {"type": "array", "items": {
      "type": "record", "name": "Line",
      "fields": [{"name": "sku", "type": "string"}]
    }}}
  ]
}
"""


@pytest.fixture
def places() -> Places:
    return Places(load_catalog({"order/order_paid.avsc": TEXT}, topics=topics()), root="schemas/")


@pytest.mark.parametrize(
    ("owner", "pointer", "step", "expected"),
    [
        ("mall.order.OrderPaid", "", "", "schemas/order/order_paid.avsc:1:1"),
        ("mall.order.OrderPaid", "", "/doc", "schemas/order/order_paid.avsc:5:10"),
        ("mall.order.OrderPaid", "/fields/0", "", "schemas/order/order_paid.avsc:7:5"),
        ("mall.order.OrderPaid", "/fields/0", "/doc", "schemas/order/order_paid.avsc:7:43"),
        ("mall.order.OrderPaid", "/fields/0", "/default", "schemas/order/order_paid.avsc:7:5"),
        ("mall.order.Line", "/fields/1/type/items", "/name", "schemas/order/order_paid.avsc:9:33"),
        ("mall.order.Line", "/fields/1/type/items/fields/0", "/type", "schemas/order/order_paid.avsc:10:42"),
        ("mall.order.OrderPaid", "/nowhere", "", "schemas/order/order_paid.avsc:1:1"),
        ("mall.order.Unknown", "/fields/0", "", "schemas/:1:1"),
    ],
)
def test_a_place_is_a_line_and_a_column(places: Places, owner: str, pointer: str, step: str, expected: str) -> None:
    assert str(places.of(Place(owner=owner, pointer=pointer), step=step)) == expected


def test_columns_count_code_points_and_an_end_lies_behind_its_start(places: Places) -> None:
    at = places.of(Place(owner="mall.order.OrderPaid", pointer="/doc"))
    assert (at.end_line, at.end_column - at.column) == (5, len('"订单付款。"'))


def test_the_catalog_knows_which_types_it_defines(places: Places) -> None:
    assert "mall.order.Line" in places
    assert "mall.order.Gone" not in places


def changes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[Change]:
    before, after = (parse(next(iter(event(fields).values()))) for fields in (old, new))
    return diff(before.root, after.root)


def told(old: Any, new: Any) -> list[tuple[str, str, str, str]]:
    return [(each.kind, each.path, each.before, each.after) for each in changes([f("x", old)], [f("x", new)])]


def test_equal_schemas_have_no_changes() -> None:
    tree = record("Tree", f("next", ["null", "Tree"], default=None), f("kinds", array(enum("A"))))
    assert told(tree, tree) == []


def test_a_path_goes_through_lists_maps_and_unions_and_starts_again_at_a_named_type() -> None:
    def deep(type_: str) -> dict[str, Any]:
        return array(mapping(["null", type_]))

    def lines(type_: str) -> dict[str, Any]:
        return array(record("Line", f("n", type_)))

    assert told(deep("int"), deep("long")) == [("type-changed", "x[]{}", "int", "long")]
    assert told(lines("int"), lines("long")) == [("type-changed", "Line.n", "int", "long")]


def test_a_type_that_is_no_union_is_a_union_of_itself() -> None:
    assert told("string", ["null", "string"]) == [("branch-added", "x", "", "null")]
    assert told(["null", "string"], "string") == [("branch-removed", "x", "null", "")]
    assert told(["string"], "string") == []


def test_branches_are_paired_by_name_then_by_what_avro_would_read() -> None:
    assert told(["null", "int"], ["null", "long"]) == [("type-changed", "x", "int", "long")]
    assert told(["int", "string"], ["string", "long"]) == [("type-changed", "x", "int", "long")]
    assert told(["null", "boolean"], ["null", "string"]) == [
        ("branch-added", "x", "", "string"),
        ("branch-removed", "x", "boolean", ""),
    ]


def test_a_recursive_type_is_walked_once() -> None:
    def tree(type_: str) -> dict[str, Any]:
        return record("Tree", f("v", type_), f("more", array("Tree")))

    assert told(tree("int"), tree("long")) == [("type-changed", "Tree.v", "int", "long")]


def test_a_removed_field_stands_at_the_fields_that_are_left() -> None:
    (gone,) = changes([f("x", "int"), f("y", "int")], [f("x", "int")])
    assert (gone.kind, gone.path, gone.place) == (
        "field-removed",
        "y",
        Place(owner="mall.order.OrderPaid", pointer="/fields"),
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (None, False, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([1, 2], [2, 1], False),
        ({"a": [True]}, {"a": [1]}, False),
        ("", None, False),
    ],
)
def test_defaults_are_compared_as_values_and_not_as_texts(one: Any, other: Any, expected: bool) -> None:
    assert is_same_json(one, other) is expected


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        ("long", "long"),
        ({"type": "long", "logicalType": "timestamp-millis"}, "long timestamp-millis"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 5}, "decimal(5, 0)"),
        (["null", "string"], "null or string"),
        (array(mapping("int")), "array of map of int"),
        (enum("A"), "Status"),
    ],
)
def test_a_type_is_described_as_people_say_it(type_: Any, words: str) -> None:
    assert describe(parse(json.dumps(type_)).root) == words
