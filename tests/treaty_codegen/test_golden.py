"""Golden bytes and contract versions: what is recorded, what is refused, which number goes up."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import fastavro
import pytest

from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import enum, event, f, topics
from treaty_codegen import Catalog, load_catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.bump import Bump, contracts, raised
from treaty_codegen.golden import cell, cell_is_promised, faults, golden, read_golden
from treaty_codegen.old_set import OldSet, old_set

NAME = "mall.order.OrderPaid"
ID = f("id", "long", doc="Number.")


def released(*fields: dict[str, Any], contract: str = "1.0.0") -> OldSet:
    made = old_set(catalog(*fields), label="release 1.0.0")
    return replace(made, events={name: replace(each, contract=contract) for name, each in made.events.items()})


def catalog(*fields: dict[str, Any], **more: Any) -> Catalog:
    return load_catalog(event([ID, *fields], **more), topics=topics())


def text(*fields: dict[str, Any]) -> str:
    return released(*fields).events[NAME].text


@pytest.mark.parametrize(
    ("fields", "bump", "contract"),
    [
        ((), Bump.NONE, "2.3.4"),
        ((f("id", "long", doc="The number."),), Bump.PATCH, "2.3.5"),
        ((f("id", "long", doc="Number.", treaty={"pii": "id"}),), Bump.PATCH, "2.3.5"),
        ((ID, f("note", "string", default="")), Bump.MINOR, "2.4.0"),
        ((ID, f("note", "string")), Bump.MAJOR, "3.0.0"),
        ((f("id", "int", doc="Number."),), Bump.MAJOR, "3.0.0"),
    ],
)
def test_the_number_that_goes_up_says_what_a_change_means(
    fields: tuple[dict[str, Any], ...], bump: Bump, contract: str
) -> None:
    last = released(contract="2.3.4")
    new = load_catalog(event(list(fields or (ID,))), topics=topics())
    told = contracts(old_set(new, label="tree"), last, breaking(new, [last]))
    assert (told.bump, told.versions) == (bump, {NAME: contract})


def test_a_new_event_is_minor_a_lost_one_major_and_a_first_release_begins() -> None:
    last = released()
    both = {**event([ID]), **event([ID], name="OrderHeld")}
    new = load_catalog(both, topics=topics(events=(NAME, "mall.order.OrderHeld")))
    told = contracts(old_set(new, label="tree"), last, [])
    assert (told.bump, told.versions["mall.order.OrderHeld"]) == (Bump.MINOR, "1.0.0")
    assert contracts(last, old_set(new, label="x"), []).bump is Bump.MAJOR
    assert contracts(last, None, []).bump is Bump.MINOR


def test_a_removed_attribute_raises_the_set_and_not_the_contract() -> None:
    last, new = released(f("x", "string", default="")), catalog()
    told = contracts(old_set(new, label="tree"), last, breaking(new, [last]))
    assert (told.bump, told.versions[NAME]) == (Bump.MAJOR, "1.1.0")


def test_numbers_are_raised_as_numbers() -> None:
    assert [raised("1.9.9", bump) for bump in Bump] == ["1.9.9", "1.9.10", "1.10.0", "2.0.0"]


def test_golden_bytes_are_what_another_implementation_writes_and_reads() -> None:
    written = text(f("s", enum("A", "B", default="A")), f("d", ["null", "double", "string"], default=None))
    lines = list(golden(NAME, written, version="1.0.0"))
    assert 5 < len(lines) <= 64
    assert len({line.hex for line in lines}) == len(lines)
    schema = fastavro.parse_schema(json.loads(written))
    for line in lines:
        data = bytes.fromhex(line.hex)
        value = fastavro.schemaless_reader(io.BytesIO(data), schema, None)
        again = io.BytesIO()
        fastavro.schemaless_writer(again, schema, value)
        assert again.getvalue() == data
        assert list(faults(line, written=written, today=written)) == []


def test_the_same_text_gives_the_same_lines_for_ever() -> None:
    one, two = (list(golden(NAME, text(), version="1.0.0")) for _ in range(2))
    assert one == two == list(read_golden("".join(line.line() for line in one)))
    assert one[0].line() == (
        '{"event": "mall.order.OrderPaid", "version": "1.0.0", "case": 0, "schema_sha256": "'
        + one[0].schema_sha256
        + '", "json": "{\\"id\\": 0}", "hex": "00"}\n'
    )


def test_ends_of_lines_within_a_value_do_not_end_its_line() -> None:
    one = replace(next(golden(NAME, text(), version="1.0.0")), json='"a\u2028b\x85c\rd\ne"')
    assert list(read_golden(one.line() * 2)) == [one, one]


def test_what_no_longer_fits_is_told() -> None:
    line = next(golden(NAME, text(), version="1.0.0"))
    assert list(faults(replace(line, hex="02"), written=text(), today=None)) == [
        "the bytes give another value than was recorded"
    ]
    assert "cannot be read" in next(faults(replace(line, hex=""), written=text(), today=None))
    assert "not the one" in next(faults(line, written=text(f("x", "string", default="")), today=None))
    for junk in ("{}", "[]", "x", '{"event": 1}'):
        with pytest.raises(ValueError, match="line 1 is no golden value"):
            list(read_golden(junk))


def test_cells_say_what_a_reader_makes_of_a_writer() -> None:
    bare, more, broken = text(), text(f("x", "string", default="")), text(f("x", "string"))
    assert (cell(bare, bare), cell(bare, more), cell(more, bare), cell(bare, broken)) == (
        "same",
        "defaulted",
        "defaulted",
        "refused",
    )
    assert (cell_is_promised(bare, more), cell_is_promised(bare, broken)) == (True, False)


def test_no_cell_of_the_table_contradicts_the_static_verdict() -> None:
    for change in rows():
        old, new = (next(iter(event(side).values())) for side in (change.old, change.new))
        for written, read in ((old, new), (new, old)):
            assert not (cell_is_promised(written, read) and cell(written, read) == "refused"), change.title
