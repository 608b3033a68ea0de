"""What the registry says, text for text."""

from __future__ import annotations

import json
import re

import pytest

from tests.treaty_avro.java import field, record
from treaty_avro import Level, Version, canonical_text, check, confluent_messages, parse


def messages(new: str, old: str, level: Level, number: int | None = 3) -> list[str]:
    schema = parse(old)
    return confluent_messages(
        check(Version(None, parse(new), new), [Version(number, schema, canonical_text(schema))], level)
    )


def text(**parts: object) -> str:
    return json.dumps({"name": "T", **parts})


@pytest.mark.parametrize(
    ("new", "old", "message"),
    [
        (text(type="fixed", size=2), text(type="fixed", size=1),
         ("{errorType:'FIXED_SIZE_MISMATCH', description:'The size of FIXED type field at path '/size' in the new schema "
         "does not match with the old schema', additionalInfo:'expected: 1, found: 2'}")),
        ('"int"', '"string"',
         ("{errorType:'TYPE_MISMATCH', description:'The type (path '/') of a field in the new schema does not match with "
         "the old schema', additionalInfo:'reader type: INT not compatible with writer type: STRING'}")),
        (record(), record(name="a.S"),
         ("{errorType:'NAME_MISMATCH', description:'The name of the schema has changed (path '/name')', "
         "additionalInfo:'expected: a.S'}")),
        (text(type="enum", symbols=["A"]), text(type="enum", symbols=["A", "C", "B"]),
         ("{errorType:'MISSING_ENUM_SYMBOLS', description:'The new schema is missing enum symbols '[B, C]' at path "
         "'/symbols' in the old schema', additionalInfo:'[B, C]'}")),
        ('["null"]', '["null", "int"]',
         ("{errorType:'MISSING_UNION_BRANCH', description:'The new schema is missing a type inside a union field at path "
         "'/1' in the old schema', additionalInfo:'reader union lacking writer type: INT'}")),
        (field("int"), record(),
         ("{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'x' at path '/fields/0' in the new "
         "schema has no default value and is missing in the old schema', additionalInfo:'x'}")),
    ],
)  # fmt: skip
def test_each_incompatibility_has_confluents_words(new: str, old: str, message: str) -> None:
    assert messages(new, old, "BACKWARD")[0] == message
    swapped = {"new": "old", "old": "new"}
    assert messages(old, new, "FORWARD")[0] == re.sub("(new|old)(?= schema)", lambda word: swapped[word[0]], message)


def test_the_version_and_the_text_of_the_old_schema_come_last() -> None:
    old = canonical_text(parse(record()))
    assert messages(field("int"), record(), "BACKWARD")[1:] == ["{oldSchemaVersion: 3}", f"{{oldSchema: '{old}'}}"]
    assert messages(field("int"), record(), "BACKWARD", number=None)[1:] == [f"{{oldSchema: '{old}'}}"]


def test_full_that_fails_forward_only_does_not_show_the_old_schema() -> None:
    assert len(messages(record(), field("int"), "FULL")) == 1
    assert len(messages(field("int"), record(), "FULL")) == 3
    assert len(messages(record(), field("int"), "FORWARD")) == 3


def test_a_long_old_schema_is_cut() -> None:
    *_, last = messages(field("int"), record(doc="d" * 10_240), "BACKWARD")
    assert last.startswith('{oldSchema: <truncated> \'{"type":"record"')
    assert last.endswith("d...'}")
    assert len(last) == len("{oldSchema: <truncated> ''}") + 10_240 + 3


def test_an_error_is_one_message_for_its_direction() -> None:
    two = record({"name": "x", "type": "int"}, {"name": "y", "type": "int"})
    message, *rest = messages(field("int", aliases=["y"]), two, "BACKWARD")
    assert message == (
        "Unexpected exception during compatibility check: Reader record field x type:INT pos:0 matches multiple fields "
        f"in writer record schema {canonical_text(parse(two))}"
    )
    assert len(rest) == 2


def test_a_compatible_version_has_no_messages() -> None:
    assert messages(record(), record(), "FULL_TRANSITIVE") == []
