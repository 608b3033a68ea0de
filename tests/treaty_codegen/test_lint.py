"""Lint: which rules run and how much they weigh, and names that only look wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.treaty_codegen.schema_texts import array, enum, event, f, mapping, record, topics
from treaty_codegen import load_catalog
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.lint import RULES, Choice, facts_of, lint

UGLY = event([f("badName", "long"), f("note", ["null", "string"])])


def found(*fields: dict[str, Any], rule: str = "", **more: Any) -> list[str]:
    """Names of the fields that a rule reports; all rules' names where none is given."""
    catalog = load_catalog(event(list(fields), **more), topics=None)
    rows = lint(facts_of(catalog, namespace="mall"), Choice(use=[rule] if rule else ["standard"]))
    return [str(row.message).split("`")[1] if "`" in str(row.message) else str(row.message) for row in rows]


def run(*, root: str = "", **choice: Any) -> list[Finding]:
    return lint(facts_of(load_catalog(UGLY, topics=topics()), root=root, namespace="mall"), Choice(**choice))


def names(**options: Any) -> list[str]:
    return sorted({row.rule for row in run(**options)})


def test_standard_is_every_rule_and_minimal_what_cannot_be_put_right_later() -> None:
    assert names() == [
        "field-not-snake-case",
        "field-without-doc",
        "file-name-differs",
        "optional-without-default",
        "record-without-doc",
    ]
    assert set(names(use=["strict"])) - set(names(use=["standard"])) == {"record-without-example"}
    loose = event([f("order_uuid", "string", doc="A.")], doc="A.")
    strict = lint(facts_of(load_catalog(loose, topics=topics()), namespace="mall"), Choice(use=["strict"]))
    standard = lint(facts_of(load_catalog(loose, topics=topics()), namespace="mall"))
    assert {row.rule for row in strict} - {row.rule for row in standard} == {
        "record-without-example",
        "uuid-without-logical-type",
    }
    assert names(use=["minimal"]) == ["optional-without-default"]
    assert names(use=["minimal", "record-without-doc"]) == ["optional-without-default", "record-without-doc"]
    assert names(use=[]) == []


def test_the_smallest_set_also_asks_for_a_topic() -> None:
    files = {**event([f("id", "long", doc="A.")]), **event([f("id", "long", doc="A.")], name="Lost")}
    rows = lint(facts_of(load_catalog(files, topics=topics()), namespace="mall"), Choice(use=["minimal"]))
    assert [(row.rule, row.event) for row in rows] == [("event-without-topic", "mall.order.Lost")]


def test_a_rule_can_be_left_out_and_weighed() -> None:
    assert "field-without-doc" not in names(leave_out=["field-without-doc"])
    weighed = run(severities={"field-without-doc": "info"})
    assert {row.severity for row in weighed if row.rule == "field-without-doc"} == {Severity.INFO}
    assert {row.severity for row in weighed if row.rule != "field-without-doc"} == {Severity.ERROR}


@pytest.mark.parametrize(
    ("pattern", "is_ignored"),
    [
        ("schemas/order/**", True),
        ("schemas/**", True),
        ("schemas/order/orderpaid.avsc", True),
        ("**", True),
        ("schemas/chat/**", False),
        ("order/**", False),
        ("Schemas/**", False),
    ],
)
def test_a_rule_is_ignored_by_path(pattern: str, is_ignored: bool) -> None:
    rows = run(root="schemas/", ignore={"field-without-doc": [pattern]})
    assert ("field-without-doc" not in {row.rule for row in rows}) is is_ignored
    assert "record-without-doc" in {row.rule for row in rows}


def test_findings_come_by_place_and_their_fingerprints_differ() -> None:
    rows = run()
    assert [(row.at.line, row.at.column) for row in rows] == sorted((row.at.line, row.at.column) for row in rows)
    assert len({row.fingerprint for row in rows}) == len(rows)


def test_every_rule_has_a_name_of_its_own_and_the_severity_that_it_uses() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.name == rule.name.lower()
        assert rule.category in {"names", "docs", "evolution", "types", "governance"}


QUIET = [
    ("name-reserved-in-python", f("match", "string")),
    ("name-reserved-in-python", f("kind", enum("CLASS", "name_"))),
    ("alias-duplicate", f("x", "long", aliases=["y", "z"])),
    ("recursive-without-end", f("x", record("Node", f("next", ["null", "Node"])))),
    ("recursive-without-end", f("x", record("Node", f("children", array("Node"))))),
    ("recursive-without-end", f("x", record("Node", f("named", mapping("Node"))))),
    ("default-outside-logical-type", f("x", {"type": "int", "logicalType": "date"}, default=0)),
    ("default-outside-logical-type", f("x", {"type": "long", "logicalType": "timestamp-micros"}, default=-1)),
    ("default-outside-logical-type", f("x", array("string"), default=[])),
    ("uuid-without-logical-type", f("uuid_count", "int")),
    ("enum-default-not-unknown", f("x", enum("STATE_UNKNOWN", "A", default="STATE_UNKNOWN"))),
    ("quantity-without-unit", f("priceless", "int")),
    ("quantity-without-unit", f("total_text", "string")),
    ("quantity-without-unit", f("size", enum("S", "M"))),
    ("quantity-without-unit", f("ttl", {"type": "int", "logicalType": "time-millis"})),
    ("timestamp-without-logical-type", f("format", "long")),
    ("timestamp-without-logical-type", f("flat", "long")),
    ("timestamp-without-logical-type", f("paid_at", "string")),
    ("timestamp-without-logical-type", f("times", "long")),
    ("money-in-float", f("total_distance", "double")),
    ("money-in-float", f("coffee", "double")),
    ("money-in-float", f("price", "long")),
    ("pii-untagged", f("recipe", "string")),
    ("pii-untagged", f("email_count", "int")),
    ("pii-untagged", f("email", "string", treaty={"pii": "email"})),
    ("pii-untagged", f("address", record("Address", f("id", "long")))),
    ("password-in-event", f("secretary", "string")),
    ("password-in-event", f("token_kind", "string")),
    ("field-not-snake-case", f("a", "string")),
    ("field-not-snake-case", f("line_2", "string")),
    ("union-ambiguous", f("x", ["null", "string", "long", "boolean"])),
    ("union-ambiguous", f("x", [record("A", f("a", "int")), record("B", f("b", "int"))])),
    ("optional-null-not-first", f("x", ["string", "null"], default="")),
    ("optional-without-default", f("x", mapping(["null", "string"]))),
    ("default-not-first-branch", f("x", ["null", "string"], default=None)),
    ("default-not-first-branch", f("x", ["string", "null"], default="")),
    ("default-not-first-branch", f("x", [enum("A"), "null"], default="A")),
    ("default-not-first-branch", f("x", ["double", "null"], default=1)),
    ("default-not-first-branch", f("x", [array("int"), "null"], default=[])),
    ("logical-type-unknown", f("x", {"type": "long", "logicalType": "timestamp-nanos"})),
    ("logical-type-unknown", f("x", {"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"})),
    ("doc-repeats-name", f("order_id", "long", doc="Order id, unique for ever.")),
    ("deprecated-without-use-or-date", f("x", "long", treaty={"unit": "s"})),
]


@pytest.mark.parametrize(("rule", "field"), QUIET, ids=lambda value: value if isinstance(value, str) else value["name"])
def test_what_only_looks_wrong_is_left_alone(rule: str, field: dict[str, Any]) -> None:
    assert found(field, rule=rule) == []


LOUD = [
    ("name-reserved-in-python", f("class", "string")),
    ("name-reserved-in-python", f("_id", "string")),
    ("default-outside-logical-type", f("x", {"type": "int", "logicalType": "time-millis"}, default=90_000_000)),
    (
        "default-outside-logical-type",
        f("x", {"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 0}, default="\u0004\u00d2"),
    ),
    ("uuid-without-logical-type", f("uuid", ["null", "string"], default=None)),
    ("quantity-without-unit", f("total", ["null", "float"], default=None)),
    ("quantity-without-unit", f("max_price", array("long"))),
    ("quantity-without-unit", f("cart_size", mapping("int"))),
    ("timestamp-without-logical-type", f("valid_until", ["null", "int"], default=None)),
    ("timestamp-without-logical-type", f("event_time", "long")),
    ("timestamp-without-logical-type", f("paid_at", "long", treaty={"unit": "ms"})),
    ("money-in-float", f("fee", array("float"))),
    ("money-in-float", f("price", ["null", mapping("double")], default=None)),
    ("pii-untagged", f("contact_phone", ["null", "string"], default=None)),
    ("pii-untagged", f("last_ip", array("string"))),
    ("password-in-event", f("api_key", "string")),
    ("field-not-snake-case", f("Total", "string")),
    ("field-not-snake-case", f("a__b", "string")),
    ("union-ambiguous", f("x", mapping(["float", "double"]))),
    ("default-not-first-branch", f("x", [enum("A"), "string"], default="B")),
    ("default-not-first-branch", f("x", ["int", "boolean"], default=True)),
    ("default-not-first-branch", f("x", ["null", array("int")], default=[])),
    ("logical-type-unknown", f("x", ["null", {"type": "long", "logicalType": "date"}], default=None)),
    ("local-timestamp", f("x", array({"type": "long", "logicalType": "local-timestamp-micros"}))),
    ("doc-repeats-name", f("order_id", "long", doc="The order ID.")),
    ("deprecated-without-use-or-date", f("x", "long", treaty={"deprecated": {}})),
    ("deprecated-without-use-or-date", f("x", "long", treaty={"deprecated": {"use": "y", "remove_after": 2027}})),
    ("enum-without-default", f("x", array(enum("A")))),
    ("logical-type-on-field", f("x", "long", logicalType="timestamp-millis")),
]


@pytest.mark.parametrize(("rule", "field"), LOUD, ids=lambda value: value if isinstance(value, str) else value["name"])
def test_what_is_wrong_is_found_once_wherever_it_hides(rule: str, field: dict[str, Any]) -> None:
    assert len(found(field, rule=rule)) == 1


def test_a_nested_record_is_looked_into() -> None:
    deep = f("x", array(mapping(record("Inner", f("innerName", "long")))))
    assert found(deep, rule="field-not-snake-case") == ["innerName"]


def test_odd_values_of_our_own_property_are_no_reason_to_fail() -> None:
    values: list[Any] = [None, 1, "text", [], {"pii": 5}, {"unit": None}, {"deprecated": []}, {"deprecated": {"A": 1}}]
    for odd in values:
        files = event([f("total", "long", treaty=odd), f("s", enum("A", treaty=odd))], treaty=odd)
        rows = lint(facts_of(load_catalog(files, topics=topics()), namespace="mall"))
        assert [str(row.message) for row in rows]
        json.dumps([row.fingerprint for row in rows])
