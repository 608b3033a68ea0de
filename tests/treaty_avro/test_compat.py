"""Whether data of one schema can be read as another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.treaty_avro.java import VERDICTS, field, record
from treaty_avro import AmbiguousField, Incompatibility, Schema, SchemaLimit, incompatibilities, parse
from treaty_avro.compat import checker


def told(reader: str, writer: str) -> list[list[str]]:
    return [[each.type, each.location, each.message] for each in incompatibilities(parse(reader), parse(writer))]


@pytest.mark.parametrize("case", VERDICTS, ids=range(len(VERDICTS)))
def test_the_verdict_is_avro_javas_word_for_word(case: dict[str, Any]) -> None:
    if "ambiguous" in case:
        with pytest.raises(AmbiguousField) as ambiguity:
            told(case["reader"], case["writer"])
        assert str(ambiguity.value) == case["ambiguous"]
    else:
        assert told(case["reader"], case["writer"]) == case["found"]


PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
READABLE = {
    "long": {"int"},
    "float": {"int", "long"},
    "double": {"int", "long", "float"},
    "bytes": {"string"},
    "string": {"bytes"},
}


@pytest.mark.parametrize("reader", PRIMITIVES)
@pytest.mark.parametrize("writer", PRIMITIVES)
def test_a_primitive_reads_itself_and_what_is_promoted_to_it(reader: str, writer: str) -> None:
    found = told(json.dumps(reader), json.dumps(writer))
    if reader == writer or writer in READABLE.get(reader, set()):
        assert found == []
    else:
        message = f"reader type: {reader.upper()} not compatible with writer type: {writer.upper()}"
        assert found == [["TYPE_MISMATCH", "/", message]]


def enum(*symbols: str, name: str = "E", **rest: Any) -> str:
    return json.dumps({"type": "enum", "name": name, "symbols": symbols, **rest})


def fixed(size: int, name: str = "F", **rest: Any) -> str:
    return json.dumps({"type": "fixed", "name": name, "size": size, **rest})


@pytest.mark.parametrize(
    ("reader", "writer", "found"),
    [
        (fixed(1), fixed(1), []),
        (fixed(2), fixed(1), [["FIXED_SIZE_MISMATCH", "/size", "expected: 1, found: 2"]]),
        (fixed(1, "a.F"), fixed(1, "b.F"), []),
        (fixed(2, "a.F"), fixed(1, "a.G"), [["NAME_MISMATCH", "/name", "expected: a.G"],
                                            ["FIXED_SIZE_MISMATCH", "/size", "expected: 1, found: 2"]]),
        (fixed(1, "a.F", aliases=["G"]), fixed(1, "a.G"), []),
        (fixed(1, "a.F", aliases=["G"]), fixed(1, "b.G"), [["NAME_MISMATCH", "/name", "expected: b.G"]]),
        (fixed(1, "a.F", aliases=[".G"]), fixed(1, "G"), [["NAME_MISMATCH", "/name", "expected: G"]]),
        (fixed(1, "F", aliases=["G"]), fixed(1, "G"), []),
        (enum("A"), enum("C", "B", "A"), [["MISSING_ENUM_SYMBOLS", "/symbols", "[B, C]"]]),
        (enum("A", default="A"), enum("C", "A"), []),
        (enum("B", "A"), enum("A"), []),
        (field("int"), record(), [["READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/0", "x"]]),
        (field("int", default=1), record(), []),
        (record(), field("int"), []),
        (field("int", aliases=["y"]), record({"name": "y", "type": "int"}), []),
        (field(json.loads(enum("A", default="A"))), record(),
         [["TYPE_MISMATCH", "/fields/0/type", "reader type: ENUM not compatible with writer type: RECORD"]]),
        (field({"type": "array", "items": {"type": "map", "values": "int"}}),
         field({"type": "array", "items": {"type": "map", "values": "string"}}),
         [["TYPE_MISMATCH", "/fields/0/type/items/values", "reader type: INT not compatible with writer type: STRING"]]),
        ('["null", "int"]', '["null", "string"]', [["MISSING_UNION_BRANCH", "/1", "reader union lacking writer type: STRING"]]),
        ('"int"', '["int", "string", "null"]',
         [["TYPE_MISMATCH", "/1", "reader type: INT not compatible with writer type: STRING"],
          ["TYPE_MISMATCH", "/2", "reader type: INT not compatible with writer type: NULL"]]),
        (field(["null", "int"]), field("string"),
         [["MISSING_UNION_BRANCH", "/fields/0/type", "reader union lacking writer type: STRING"]]),
        (field(["null", "int"]), field(["boolean", "double"]),
         [["MISSING_UNION_BRANCH", "/fields/0/type/0", "reader union lacking writer type: BOOLEAN"],
          ["MISSING_UNION_BRANCH", "/fields/0/type/1", "reader union lacking writer type: DOUBLE"]]),
        ('["string", "long"]', '"int"', []),
        ("[]", '"int"', [["MISSING_UNION_BRANCH", "/", "reader union lacking writer type: INT"]]),
        ('"int"', "[]", []),
    ],
)  # fmt: skip
def test_each_rule_tells_its_type_place_and_words(reader: str, writer: str, found: list[list[str]]) -> None:
    assert told(reader, writer) == found


def test_a_pair_that_recurs_is_told_again_with_its_first_places() -> None:
    inner = {"type": "fixed", "name": "F", "size": 1}
    reader = record({"name": "a", "type": inner}, {"name": "b", "type": "F"})
    writer = record({"name": "a", "type": {**inner, "size": 2}}, {"name": "b", "type": "F"})
    assert [location for _, location, _ in told(reader, writer)] == ["/fields/0/type/size", "/fields/0/type/size"]


def test_recursive_types_are_compatible_unless_shown_otherwise() -> None:
    node = record({"name": "next", "type": ["null", "R"]}, {"name": "v", "type": "int"})
    assert told(node, node) == []
    assert [kind for kind, _, _ in told(node, node.replace('"int"', '"string"'))] == ["TYPE_MISMATCH"]


def test_meaning_docs_defaults_order_and_properties_do_not_count() -> None:
    plain = field("long", default=1)
    decorated = field({"type": "long", "logicalType": "timestamp-millis", "p": 1}, default=2, doc="d", order="ignore")
    assert told(plain, decorated) == told(decorated, plain) == []


def test_an_incompatibility_holds_both_types() -> None:
    reader, writer = parse(field("int")), parse(field("string"))
    (found,) = incompatibilities(reader, writer)
    assert isinstance(found, Incompatibility)
    assert (found.reader.kind, found.writer.kind) == ("int", "string")
    assert found.reader.pointer == "/fields/0/type"


def ladder(levels: int, last: str) -> Schema:
    """The top of records that each hold the one below twice."""
    records = [record({"name": "a", "type": last}, name="R0")]
    for index in range(1, levels):
        below = f"R{index - 1}"
        records.append(record({"name": "a", "type": below}, {"name": "b", "type": below}, name=f"R{index}"))
    return parse(json.dumps({"type": "map", "values": f"R{levels - 1}"}), references=[parse(f"[{','.join(records)}]")])


def test_findings_that_double_at_every_level_are_cut() -> None:
    assert len(incompatibilities(ladder(200, "int"), ladder(200, "string"))) == 10_000


def test_types_deeper_than_250_levels_are_refused() -> None:
    assert incompatibilities(ladder(248, "int"), ladder(248, "int")) == []
    with pytest.raises(SchemaLimit, match="more than 250 levels"):
        incompatibilities(ladder(260, "int"), ladder(260, "int"))


def test_a_deep_chain_is_refused_though_much_was_compared_before_it() -> None:
    """What was left again does not count, and does not make up for what is entered later either."""
    before = [
        {"name": f"f{n}", "type": {"type": "array", "items": {"type": "array", "items": "int"}}} for n in range(99)
    ]

    def after(levels: int) -> Schema:
        return parse(
            record(*before, {"name": "z", "type": f"R{levels - 1}"}, name="Top"),
            references=ladder(levels, "int").references,
        )

    assert incompatibilities(after(248), after(248)) == []
    with pytest.raises(SchemaLimit, match="more than 250 levels"):
        incompatibilities(after(260), after(260))


def test_unions_too_wide_to_compare_are_refused() -> None:
    def wide(prefix: str) -> Schema:
        # 448 times 448 pairs, a few more than are compared.
        return parse("[" + ",".join(fixed(1, f"{prefix}{index}") for index in range(448)) + "]")

    with pytest.raises(SchemaLimit, match="more than 200,000 pairs"):
        incompatibilities(wide("A"), wide("B"))


def test_unions_of_records_that_differ_in_every_field_do_not_hold_a_reason_for_each_pair_and_field() -> None:
    """100 times 100 pairs of records with 60 fields each would hold 600,000 reasons, which the union then drops."""

    def union(letter: str) -> Schema:
        fields = [{"name": f"{letter}{index}", "type": "int"} for index in range(60)]
        texts = (record(*fields, name=f"{letter}{index}") for index in range(100))
        return parse(f"[{','.join(texts)}]")

    reader, writer = union("r"), union("w")
    comparison = checker._Comparison("<schema>")
    assert len(comparison.compare(reader.root, writer.root, ())) == 100
    # A hundred thousand, and one more for each pair and each branch of the union.
    held = sum(map(len, comparison._known.values()))
    assert held <= checker.MAX_HELD + 10_000 + 100
