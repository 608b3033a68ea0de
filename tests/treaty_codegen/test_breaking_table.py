"""Breaking rules: a table of changes, levels and histories, shared types, fingerprints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.treaty_codegen.change_row import DEFAULT, Row
from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import MICROS, MILLIS, array, decimal, enum, event, f, record, topics
from treaty_avro import Tagged, compile_generic, example, parse
from treaty_codegen import Catalog, load_catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.old_set import OldSet, old_set

ID = f("id", "long")


def catalog(*fields: dict[str, Any], level: str = "FULL_TRANSITIVE", key: str = "") -> Catalog:
    return load_catalog(event([ID, *fields]), topics=topics(level, key=key))


def released(version: str, *fields: dict[str, Any], level: str = "FULL_TRANSITIVE", key: str = "") -> OldSet:
    return old_set(catalog(*fields, level=level, key=key), label=f"release {version}")


def verdict(findings: list[Finding]) -> list[str]:
    """Rules and severities, but for those whose witness is the generated SDK: test_breaking_sdk.py."""
    return sorted({f"{row.rule} {row.severity}" for row in without_sdk_rules(findings)})


def without_sdk_rules(findings: list[Finding]) -> list[Finding]:
    return [row for row in findings if row.rule not in {"field-type-in-sdk-changed", "class-moved"}]


@pytest.mark.parametrize("change", rows(), ids=lambda change: change.title)
def test_a_change_gets_the_verdict_that_the_specification_gives_it(change: Row) -> None:
    old = load_catalog(event(change.old), topics=topics(change.level))
    new = load_catalog(event(change.new), topics=topics(change.level))
    assert verdict(breaking(new, [old_set(old, label="release 1.0.0")])) == sorted(change.verdict)


def test_the_table_is_large_and_has_no_two_rows_of_one_name() -> None:
    titles = [change.title for change in rows()]
    assert len({title.rpartition(" (")[0] for title in titles}) >= 60
    assert len(set(titles)) == len(titles)
    silent = {title.rpartition(" (")[0] for title, change in zip(titles, rows(), strict=True) if not change.verdict}
    assert len(silent) >= 25, "as many harmless changes as that would be false alarms"


def test_nothing_is_found_where_nothing_changed() -> None:
    for change in rows():
        same = load_catalog(event(change.new), topics=topics())
        assert breaking(same, [old_set(same, label="release 1.0.0")]) == [], change.title


@pytest.mark.parametrize("level", ["FULL", "BACKWARD", "FORWARD", "NONE"])
def test_a_plain_level_looks_at_the_newest_release_only(level: str) -> None:
    sets = [
        released("1.1.0", f("x", "string", default=""), level=level),
        released("1.0.0", f("x", "string"), level=level),
    ]
    assert "reader-field-without-default error" not in verdict(breaking(catalog(level=level), sets))


@pytest.mark.parametrize(
    ("level", "is_found"), [("FULL_TRANSITIVE", True), ("FORWARD_TRANSITIVE", True), ("BACKWARD_TRANSITIVE", False)]
)
def test_a_transitive_level_looks_at_every_release(level: str, is_found: bool) -> None:
    sets = [
        released("1.1.0", f("x", "string", default=""), level=level),
        released("1.0.0", f("x", "string"), level=level),
    ]
    found = breaking(catalog(level=level), sets)
    assert ("reader-field-without-default error" in verdict(found)) is is_found
    assert {row.against for row in found if row.rule == "reader-field-without-default"} <= {"release 1.0.0"}


def test_a_cause_that_two_releases_show_is_told_once_against_the_newest() -> None:
    sets = [released("1.1.0", f("x", MILLIS), f("y", "int", default=0)), released("1.0.0", f("x", MILLIS))]
    found = breaking(catalog(f("x", MICROS), f("y", "int", default=0)), sets)
    assert [(row.rule, row.against) for row in found] == [("logical-type-changed", "release 1.1.0")]


def test_what_an_earlier_release_removed_was_decided_then() -> None:
    sets = [released("1.1.0"), released("1.0.0", f("x", "string", default="", doc="A text."))]
    assert breaking(catalog(), sets) == []


def test_a_default_is_an_error_only_if_a_release_lacks_the_field() -> None:
    new = catalog(f("x", "string", default="new"))
    one = released("1.1.0", f("x", "string", default="old"))
    assert verdict(breaking(new, [one])) == [DEFAULT]
    assert verdict(breaking(new, [one, released("1.0.0")])) == ["default-value-changed error"]


def test_a_default_within_a_nested_record_is_looked_up_there() -> None:
    def line(*fields: dict[str, Any]) -> dict[str, Any]:
        return f("lines", array(record("Line", f("sku", "string"), *fields)))

    new, newest = catalog(line(f("n", "int", default=2))), released("1.1.0", line(f("n", "int", default=1)))
    assert verdict(breaking(new, [newest, released("1.0.0", line())])) == ["default-value-changed error"]
    assert verdict(breaking(new, [newest, released("1.0.0")])) != ["default-value-changed error"]


def test_a_shared_type_is_told_once_at_its_own_line_with_all_that_it_affects() -> None:
    def files(scale: int) -> dict[str, str]:
        line = {"type": "record", "namespace": "mall.order", "name": "Line", "fields": [f("price", decimal(12, scale))]}
        holders = [event([f("lines", array("mall.order.Line"))], name=name) for name in ("OrderPaid", "OrderShipped")]
        optional = event([f("line", ["null", "mall.order.Line"], default=None)], name="OrderLost")
        return {"order/line.avsc": json.dumps(line, indent=2), **holders[0], **holders[1], **optional}

    names = ("mall.order.OrderPaid", "mall.order.OrderShipped", "mall.order.OrderLost")
    old, new = (load_catalog(files(scale), topics=topics(events=names)) for scale in (2, 4))
    (found,) = breaking(new, [old_set(old, label="release 1.0.0")], root="schemas/")
    assert (found.rule, found.affects, str(found.message).split("`")[1]) == (
        "decimal-scale-changed",
        names,
        "Line.price",
    )
    assert (found.at.path, found.at.line, found.at.pointer) == ("schemas/order/line.avsc", 12, "/fields/0/type/scale")


def test_a_type_that_is_event_and_part_of_another_event_is_told_once() -> None:
    def files(type_: str) -> dict[str, str]:
        return {**event([f("n", type_)]), **event([f("paid", "mall.order.OrderPaid")], name="OrderDone")}

    names = ("mall.order.OrderPaid", "mall.order.OrderDone")
    old, new = (load_catalog(files(type_), topics=topics(events=names)) for type_ in ("string", "boolean"))
    found = breaking(new, [old_set(old, label="release 1.0.0")])
    rules = [row.rule for row in found]
    assert rules == ["field-type-in-sdk-changed", "type-changed", "type-changed"], "once for each direction"
    assert {row.affects for row in found} == {names}


def test_a_type_that_moves_to_a_file_of_its_own_is_no_change() -> None:
    status = {"type": "enum", "namespace": "mall.order", "name": "Status", "symbols": ["U", "A"], "default": "U"}
    inline = load_catalog(event([f("s", status)]), topics=topics())
    files = {"order/status.avsc": json.dumps(status), **event([f("s", "mall.order.Status")])}
    apart = load_catalog(files, topics=topics())
    assert breaking(apart, [old_set(inline, label="x")]) == []
    assert breaking(inline, [old_set(apart, label="x")]) == []


def test_a_fingerprint_stays_when_lines_move_and_differs_between_causes() -> None:
    old = [released("1.0.0", f("x", MILLIS), f("y", MILLIS))]
    moved = {
        path: json.dumps(json.loads(text), indent=4)
        for path, text in event([ID, f("x", MICROS), f("y", MICROS)]).items()
    }
    here, there = (
        breaking(catalog(f("x", MICROS), f("y", MICROS)), old),
        breaking(load_catalog(moved, topics=topics()), old),
    )
    assert [row.fingerprint for row in here] == [row.fingerprint for row in there]
    assert len({row.fingerprint for row in here}) == 2
    assert [row.at.line for row in here] != [row.at.line for row in there]


def test_categories_and_rules_can_be_chosen() -> None:
    old, new = [released("1.0.0", f("x", MILLIS, doc="A."), f("y", "int"))], catalog(f("x", MICROS, doc="B."))
    assert verdict(breaking(new, old, use=["docs"])) == ["doc-changed info"]
    assert verdict(breaking(new, old, use=["meaning", "field-removed"])) == [
        "field-removed error",
        "logical-type-changed error",
    ]
    assert len(breaking(new, old)) == 4


def test_an_event_that_is_new_is_not_compared() -> None:
    new = load_catalog(
        {**event([ID]), **event([ID], name="OrderShipped")},
        topics=topics(events=("mall.order.OrderPaid", "mall.order.OrderShipped")),
    )
    assert breaking(new, [released("1.0.0")]) == []


def test_a_new_full_name_with_an_alias_is_a_rename_and_not_a_removal() -> None:
    new = load_catalog(
        event([ID], name="OrderSettled", aliases=["OrderPaid"]), topics=topics(events=("mall.order.OrderSettled",))
    )
    assert verdict(breaking(new, [released("1.0.0")])) == ["name-changed error"]
    loose = load_catalog(event([ID], name="OrderSettled"), topics=topics(events=("mall.order.OrderSettled",)))
    assert verdict(breaking(loose, [released("1.0.0")])) == ["event-removed error"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("id", "id", []),
        ("id", "{id}", []),
        ("id", "x", ["key-changed error"]),
        ("id", "order:{id}", ["key-changed error"]),
        ("order:{id}", "order:{x}", ["key-changed error"]),
    ],
)
def test_a_key_that_gives_other_texts_is_found(before: str, after: str, expected: list[str]) -> None:
    x = f("x", "long")
    assert verdict(breaking(catalog(x, key=after), [released("1.0.0", x, key=before)])) == expected


def test_a_key_is_found_when_it_comes_and_when_it_goes() -> None:
    assert verdict(breaking(catalog(key="id"), [released("1.0.0")])) == ["key-changed error"]
    assert verdict(breaking(catalog(), [released("1.0.0", key="id")])) == ["key-changed error"]


def test_a_key_field_may_widen_but_not_become_another_kind() -> None:
    def keyed(type_: Any) -> Catalog:
        return load_catalog(event([f("k", type_)]), topics=topics("NONE", key="k"))

    assert breaking(keyed("long"), [old_set(keyed("int"), label="x")]) == []
    assert verdict(breaking(keyed(enum("A")), [old_set(keyed("string"), label="x")])) == []
    assert verdict(breaking(keyed("string"), [old_set(keyed("boolean"), label="x")])) == ["key-changed error"]


def test_a_renamed_key_field_is_still_the_key() -> None:
    def keyed(field: dict[str, Any], key: str) -> Catalog:
        return load_catalog(event([field]), topics=topics("BACKWARD", key=key))

    old, new = keyed(f("k", "long"), "k"), keyed(f("key", "long", aliases=["k"]), "key")
    assert verdict(breaking(new, [old_set(old, label="x")])) == ["field-renamed error"]


@pytest.mark.parametrize(
    ("before", "after", "is_weaker"),
    [
        ("FULL_TRANSITIVE", "FULL", True),
        ("FULL", "FULL_TRANSITIVE", False),
        ("FULL", "BACKWARD", True),
        ("BACKWARD", "FORWARD", True),
        ("BACKWARD", "FULL", False),
        ("NONE", "BACKWARD", False),
        ("BACKWARD", "NONE", True),
        ("BACKWARD_TRANSITIVE", "FULL", True),
    ],
)
def test_a_level_that_promises_less_is_found(before: str, after: str, is_weaker: bool) -> None:
    expected = ["compatibility-weakened error"] if is_weaker else []
    assert verdict(breaking(catalog(level=after), [released("1.0.0", level=before)])) == expected


def test_a_level_that_was_weakened_by_an_earlier_release_is_not_told_again() -> None:
    sets = [released("1.1.0", level="BACKWARD"), released("1.0.0", level="FULL")]
    assert breaking(catalog(level="BACKWARD"), sets) == []


def test_the_order_of_findings_is_by_place_and_backward_comes_first() -> None:
    found = breaking(catalog(f("x", "string"), f("y", "string")), [released("1.0.0", f("x", "int"), f("y", "int"))])
    assert [str(row.message).split(" cannot")[0] for row in without_sdk_rules(found)] == [
        "type of `x` changed: the new schema",
        "type of `x` changed: the old schema",
        "type of `y` changed: the new schema",
        "type of `y` changed: the old schema",
    ]


def test_every_error_about_values_has_a_proof() -> None:
    unprovable = {"key-changed"}
    for change in rows():
        old = load_catalog(event(change.old), topics=topics(change.level))
        new = load_catalog(event(change.new), topics=topics(change.level))
        for found in breaking(new, [old_set(old, label="release 1.0.0")], use=["wire", "meaning"]):
            if found.severity is Severity.ERROR and found.rule not in unprovable | {"alias-ambiguous"}:
                assert found.proof is not None, (change.title, found)


@pytest.mark.parametrize(
    "change", [each for each in rows() if not each.verdict and each.level == "FULL"], ids=lambda each: each.title
)
def test_where_nothing_is_found_values_survive_both_ways(change: Row) -> None:
    old, new = (parse(next(iter(event(fields).values()))) for fields in (change.old, change.new))
    for writer, reader in ((old, new), (new, old)):
        encode, same = compile_generic(writer)
        _, decode = compile_generic(reader, writer)
        for seed in range(50):
            data = encode(example(writer, seed=seed))
            before, after = same(data), decode(data)
            assert isinstance(before, dict)
            assert isinstance(after, dict)
            for name in before.keys() & after.keys():
                assert repr(common(after[name])) == repr(common(before[name])), (seed, name)


def common(value: object) -> object:
    """What both sides know of a value: a nested record by the fields that every version of the table has."""
    if isinstance(value, Tagged):
        return common(value.value)
    if isinstance(value, list):
        return [common(each) for each in value]
    if isinstance(value, dict):
        return {key: common(each) for key, each in value.items() if key not in {"n", "bank", "w"}}
    return value
