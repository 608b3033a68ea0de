"""Golden bytes and contract versions: what is recorded, what is refused, which number goes up."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import fastavro
import pytest

from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import enum, event, f, topics
from treaty_avro import AvroError, parse
from treaty_codegen import Catalog, load_catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.bump import Bump, contracts, raised
from treaty_codegen.carried import NotCarried, carried
from treaty_codegen.golden import (
    Golden,
    cell,
    cell_is_promised,
    decoder,
    faults,
    faults_today,
    golden,
    read_golden,
    writer,
)
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
    for recorded in ("[]", "7", "{", '{"id": {"long": 0, "int": 0}}'):
        told = list(faults(replace(line, json=recorded), written=text(), today=text(f("x", "string", default=""))))
        assert told == ["the bytes give another value than was recorded"]
    assert "cannot be read" in next(faults(replace(line, hex=""), written=text(), today=None))
    assert "not the one" in next(faults(line, written=text(f("x", "string", default="")), today=None))
    for junk in ("{}", "[]", "x", '{"event": 1}'):
        with pytest.raises(ValueError, match="line 1 is no golden value"):
            list(read_golden(junk))


@pytest.mark.parametrize(
    "other", [{"hex": "zz"}, {"hex": 5}, {"json": {}}, {"case": True}, {"event": ["a"]}, {"schema_sha256": None}]
)
def test_a_golden_line_with_a_member_of_another_type_is_named(other: dict[str, Any]) -> None:
    line = next(golden(NAME, text(), version="1.0.0")).line()
    with pytest.raises(ValueError, match="line 2 is no golden value"):
        list(read_golden(line + json.dumps(json.loads(line) | other)))


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


CASES = range(0, 64, 7)
"""Each seventh value: the edge cases come round by thirteens."""


@cache
def sampled(written: str) -> tuple[Golden, ...]:
    return tuple(golden(NAME, written, version="1.0.0", cases=CASES))


def changed_pairs() -> dict[tuple[str, str], str]:
    """Each pair of different texts of the table of changes, both ways, with what changed."""
    sides = [
        (change.title, *(next(iter(event(side).values())) for side in (change.old, change.new))) for change in rows()
    ]
    return {pair: title for title, old, new in sides for pair in ((old, new), (new, old)) if old != new}


def test_a_changed_schema_reads_of_old_bytes_what_follows_from_the_recorded_values() -> None:
    """What follows is worked out on the recorded JSON by Avro's rules, without the codec; fastavro, without logical types, agrees."""
    followed = agreed = 0
    for (written, read), title in changed_pairs().items():
        old, new = (fastavro.parse_schema(without_meanings(json.loads(each))) for each in (written, read))
        for line in sampled(written):
            assert list(faults(line, written=written, today=read)) == [], title
            # Java refuses one alias for two fields, fastavro prefers the alias to the name: nobody promises anything.
            if not follows(line.json, written, read) or "one alias for two fields" in title:
                continue
            followed += 1
            # Of our refusals a value told; fastavro refuses an empty list of ints where longs are read.
            with suppress(AvroError, fastavro.read.SchemaResolutionError):
                ours = writer(read)[1](decoder(written, read)(bytes.fromhex(line.hex)))
                assert reread(line.hex, old, new) == ours, (title, line.json)
                agreed += 1
    assert followed > 800
    assert agreed > 0.9 * followed


def reread(data: str, old: Any, new: Any) -> bytes:
    """The bytes that fastavro writes of what it reads."""
    value = fastavro.schemaless_reader(
        io.BytesIO(bytes.fromhex(data)), old, new, return_record_name=True, return_named_type=True
    )
    again = io.BytesIO()
    fastavro.schemaless_writer(again, new, value)
    return again.getvalue()


def follows(recorded: str, written: str, read: str) -> bool:
    """Whether the rules say what becomes of a recorded value."""
    try:
        carried(json.loads(recorded), writer(written)[0].root, writer(read)[0].root)
    except NotCarried:
        return False
    return True


def without_meanings(text: Any) -> Any:
    """A schema without its logical types."""
    if isinstance(text, dict):
        return {key: without_meanings(value) for key, value in text.items() if key != "logicalType"}
    return [without_meanings(each) for each in text] if isinstance(text, list) else text


def test_what_a_changed_schema_misreads_is_told_with_both_values() -> None:
    written, read = text(f("x", "int", default=1)), text(f("x", "long", default=1))
    line = next(golden(NAME, written, version="1.0.0"))
    assert list(faults_today(line, written=written, today=read)) == []
    other = replace(line, json='{"id": 0, "x": 7}')
    assert list(faults_today(other, written=written, today=read)) == [
        'today\'s schema reads {"id": 0, "x": 0}, where {"id": 0, "x": 7} follows from what was recorded'
    ]


@pytest.mark.parametrize(
    ("type_", "default"),
    [
        ("double", "NaN"),
        ("double", "Infinity"),
        ("float", "-Infinity"),
        (["float", "double"], 1e300),
        (["float", "double"], 10**39),
    ],
)
def test_a_default_that_has_no_digits_or_fits_a_later_branch_follows_as_the_codec_reads_it(
    type_: Any, default: Any
) -> None:
    read = text(f("x", type_, default=default))
    line = next(golden(NAME, text(), version="1.0.0"))
    assert follows(line.json, text(), read)
    assert list(faults(line, written=text(), today=read)) == []


def test_branches_that_one_record_may_be_are_not_followed_into() -> None:
    """Each level would be looked into once for each branch: twice two to the power of sixty here."""

    def node(name: str, *branches: Any) -> dict[str, Any]:
        return {"type": "record", "name": name, "fields": [{"name": "n", "type": ["null", *branches]}]}

    old, new = parse(json.dumps(node("a.N", "a.N"))), parse(json.dumps(node("b.N", "b.N", node("c.N", "b.N", "c.N"))))
    value: Any = {"n": None}
    for _ in range(60):
        value = {"n": {"a.N": value}}
    with pytest.raises(NotCarried, match="more than one branch"):
        carried(value, old.root, new.root)


def test_what_nobody_promised_may_be_refused_and_what_was_promised_may_not() -> None:
    written, read = text(), text(f("x", "string"))
    line = next(golden(NAME, written, version="1.0.0"))
    assert list(faults(line, written=written, today=read)) == []
    cut = replace(line, hex="")
    (sentence,) = faults_today(cut, written=written, today=text(f("x", "string", default="")))
    assert sentence.startswith("today's schema cannot read the bytes")
