"""Which branch of a reader's union takes what one of the writer's wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest

from treaty_avro import DecodeError, ResolutionError, Tagged, compile_generic, parse, resolve
from treaty_avro.plan.resolve import Items, Unreadable


def test_a_branch_that_takes_every_datum_goes_before_one_that_takes_some() -> None:
    """Both have the writer's simple name; the checker finds the second compatible, so no symbol may fail."""
    writer = parse(json.dumps({"type": "enum", "name": "w.E", "symbols": ["A", "B"]}))
    some = {"type": "enum", "name": "a.E", "symbols": ["A"]}
    reader = parse(json.dumps([some, {"type": "enum", "name": "b.E", "symbols": ["A", "B"]}]))
    encode, _ = compile_generic(writer)
    _, decode = compile_generic(reader, writer)
    assert [decode(encode(symbol)) for symbol in "AB"] == [Tagged("b.E", "A"), Tagged("b.E", "B")]


@pytest.mark.parametrize(
    ("branch", "value", "shown"),
    [
        ('"int"', Tagged("int", 1), "int"),
        ('{"type": "fixed", "name": "n.F", "size": 1}', Tagged("n.F", b"x"), "fixed n.F"),
    ],
)
def test_data_of_a_branch_that_no_branch_reads_is_refused_in_the_words_of_the_union(
    branch: str, value: Tagged, shown: str
) -> None:
    writer, reader = parse(f'[{branch}, "string"]'), parse('["boolean", "string"]')
    encode, _ = compile_generic(writer)
    _, decode = compile_generic(reader, writer)
    with pytest.raises(DecodeError) as caught:
        decode(encode(value))
    assert (caught.value.code, caught.value.reason) == ("unresolvable", f"{shown} is no branch of the reader's union")


def test_the_branch_is_taken_whose_fields_take_every_datum() -> None:
    def holder(name: str, symbols: list[str], **more: Any) -> dict[str, Any]:
        kinds = {"type": "enum", "name": f"{name}Kind", "aliases": ["Kind"], "symbols": symbols}
        return {"type": "record", "name": name, "fields": [{"name": "kind", "type": kinds}], **more}

    writer = {
        "type": "record",
        "name": "Was",
        "fields": [{"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}}],
    }
    reader = [holder("Few", ["A"], aliases=["Was"]), holder("All", ["A", "B"], aliases=["Was"])]
    encode, _ = compile_generic(parse(json.dumps(writer)))
    _, decode = compile_generic(parse(json.dumps(reader)), parse(json.dumps(writer)))
    for symbol in ("A", "B"):
        assert decode(encode({"kind": symbol})) == Tagged("All", {"kind": symbol})


def test_a_union_without_branches_is_refused_where_it_stands() -> None:
    with pytest.raises(ResolutionError, match=r"/: the writer's union has no branch$"):
        resolve(parse("[]"), parse('"int"'))
    told = resolve(parse('{"type": "array", "items": []}'), parse('{"type": "array", "items": "int"}')).action
    assert isinstance(told, Items)
    assert told.child == Unreadable("unresolvable", "the writer's union has no branch", "/items")


def test_a_union_whose_record_holds_itself_is_resolved() -> None:
    node = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
    wider = json.loads(json.dumps(node).replace("Node", "n.Node"))
    encode, _ = compile_generic(parse(json.dumps(["null", node])))
    _, decode = compile_generic(parse(json.dumps(["null", wider])), parse(json.dumps(["null", node])))
    assert decode(encode({"next": {"next": None}})) == {"next": {"next": None}}


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([("a.E", []), ("b.F", ["w.E"])], "b.F"),
        ([("b.F", ["w.E"]), ("w.E", [])], "w.E"),
        ([("a.E", []), ("w.E", [])], "w.E"),
        ([("a.E", []), ("b.E", [])], "a.E"),
    ],
)
def test_a_full_name_goes_before_an_alias_and_an_alias_before_a_simple_name(
    names: list[tuple[str, list[str]]], chosen: str
) -> None:
    writer = parse('{"type": "enum", "name": "w.E", "symbols": ["A"]}')
    branches = [{"type": "enum", "name": name, "symbols": ["A"], "aliases": aliases} for name, aliases in names]
    _, decode = compile_generic(parse(json.dumps(branches)), writer)
    assert decode(b"\x00") == Tagged(chosen, "A")
