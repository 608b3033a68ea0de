"""Reading a directory of schema texts."""

from __future__ import annotations

import random

import pytest

from tests.treaty_avro.java import field, record
from treaty_avro import SchemaError, inlined_text, parse, parse_files

FILES = {
    "order.avsc": record({"name": "line", "type": "Line"}, {"name": "buyer", "type": "shop.User"}, name="mall.Order"),
    "line.avsc": record({"name": "sku", "type": {"type": "fixed", "name": "Sku", "size": 8}}, name="mall.Line"),
    "user.avsc": record({"name": "favourite", "type": ["null", "mall.Sku"]}, name="shop.User"),
}


@pytest.mark.parametrize("seed", range(4))
def test_files_are_read_in_any_order(seed: int) -> None:
    names = list(FILES)
    random.Random(seed).shuffle(names)  # an order, no secret
    schemas = parse_files({name: FILES[name] for name in names})
    assert list(schemas) == names
    assert {name: [reference.path for reference in schema.references] for name, schema in schemas.items()} == {
        "order.avsc": ["line.avsc", "user.avsc"],
        "line.avsc": [],
        "user.avsc": ["line.avsc"],
    }
    order = schemas["order.avsc"]
    assert order.named.keys() == {"mall.Order"}
    assert parse(inlined_text(order)) == order


def test_a_file_without_a_name_may_use_the_others() -> None:
    schemas = parse_files({"b.avsc": '["null", "a.R"]', "a.avsc": record()})
    assert schemas["b.avsc"].references == (schemas["a.avsc"],)


def test_a_file_that_refers_to_itself_needs_no_other() -> None:
    assert parse_files({"a.avsc": field(["null", "R"], default=None)})["a.avsc"].references == ()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.avsc": record({"name": "b", "type": "B"}, name="A"), "b.avsc": record({"name": "a", "type": "A"}, name="B")},
         "b.avsc:1:74: /fields/0/type: files need one another in a circle: a.avsc → b.avsc → a.avsc; "),
        ({"a.avsc": record(name="x.A"), "b.avsc": field({"type": "fixed", "name": "x.A", "size": 1})},
         "b.avsc:1:73: /fields/0/type: x.A is defined in a.avsc and in b.avsc; "),
        ({"a.avsc": record(name="x.Line"), "b.avsc": record({"name": "l", "type": "Lien"}, name="x.Order")},
         "b.avsc:1:80: /fields/0/type: unknown type 'x.Lien'; did you mean 'x.Line'?"),
        ({"a.avsc": record(), "b.avsc": "{"}, "b.avsc:1:2: not JSON"),
        ({"a.avsc": record({"name": "x", "type": "int", "default": "q"})}, "a.avsc:1:86: /fields/0/default: invalid default"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_file_and_the_place(files: dict[str, str], message: str) -> None:
    with pytest.raises(SchemaError) as refusal:
        parse_files(files)
    shown = str(refusal.value)
    assert shown.split(": ", 1)[1].startswith(message.split(": ", 1)[1])
    assert shown.split(":", maxsplit=1)[0] == message.split(":", maxsplit=1)[0]


def test_a_circle_is_shown_without_the_files_that_lead_to_it() -> None:
    files = {
        name: record({"name": "x", "type": need}, name=name) for name, need in (("A", "B"), ("B", "C"), ("C", "B"))
    }
    with pytest.raises(SchemaError, match="circle: B → C → B;"):
        parse_files(files)


def test_long_chains_of_files_are_read() -> None:
    files = {f"{index}": record({"name": "x", "type": f"R{index + 1}"}, name=f"R{index}") for index in range(1_500)}
    schemas = parse_files({**files, "last": record(name="R1500")})
    assert len(schemas) == 1_501


def test_stored_rules_hold_for_every_file() -> None:
    text = field("int", default="x")
    assert parse_files({"a.avsc": text}, rules="stored")
    with pytest.raises(SchemaError):
        parse_files({"a.avsc": text})
