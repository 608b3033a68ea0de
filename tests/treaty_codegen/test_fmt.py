"""The layout of schema files: one for all, and nothing of the meaning is touched."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases.markdown import ROOT
from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import event
from treaty_codegen.fmt import formatted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_the_schemas_of_this_repository_are_in_the_layout() -> None:
    for path in sorted(ROOT.glob("schemas/*/*.avsc")):
        text = path.read_text(encoding="utf-8")
        assert formatted(text) == text, path


@given(JSON)
def test_any_json_keeps_its_value_and_a_second_time_changes_nothing(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=7, separators=(" ,", " : "))):
        once = formatted(text)
        assert json.loads(once) == value
        assert formatted(once) == once
        assert once.endswith("\n")


def test_keys_of_types_and_fields_come_in_one_order_and_others_keep_theirs() -> None:
    text = """{"zeta": 1, "fields": [{"treaty": {"b": 1, "a": 2}, "default": {"type": 1, "name": 2, "fields": 3},
    "type": {"scale": 2, "logicalType": "decimal", "type": "bytes", "precision": 9}, "name": "x", "alpha": []}],
    "name": "A", "type": "record"}"""
    body = json.loads(formatted(text), object_pairs_hook=lambda pairs: pairs)
    assert [key for key, _ in body] == ["type", "name", "fields", "zeta"]
    field = dict(body)["fields"][0]
    assert [key for key, _ in field] == ["name", "type", "default", "treaty", "alpha"]
    assert [key for key, _ in dict(field)["type"]] == ["type", "logicalType", "precision", "scale"]
    assert [key for key, _ in dict(field)["default"]] == ["type", "name", "fields"], "a default is a value"
    assert [key for key, _ in dict(field)["treaty"]] == ["b", "a"]


@pytest.mark.parametrize(
    "scalar", ["1.50", "1e5", "-0.0", "12345678901234567890", '"\\u00ff\\u4e2d\\/"', '"\u4e2d"', "true"]
)
def test_numbers_and_texts_stay_as_they_were_typed(scalar: str) -> None:
    assert formatted(f'{{"default":{scalar}}}') == f'{{\n  "default": {scalar}\n}}\n'


def test_every_schema_of_the_table_keeps_its_meaning() -> None:
    for change in rows():
        for text in event(change.new).values():
            assert json.loads(formatted(text)) == json.loads(text), change.title


def test_line_ends_and_a_missing_last_one_are_mended() -> None:
    assert formatted('{"type":\r\n"int"}') == '{\n  "type": "int"\n}\n'
    assert formatted('\n\n"int"\n\n') == '"int"\n'
