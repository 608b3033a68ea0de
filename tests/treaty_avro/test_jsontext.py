"""Reading JSON strictly, and finding places in it."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_avro import SchemaError, SchemaLimit
from treaty_avro.schema.jsontext import MAX_BYTES, Lines, Places, read


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("", 1, 1, "the text is empty"),
        ("{", 1, 2, "not JSON"),
        ('"int" "long"', 1, 7, "not JSON: extra data"),
        ('["int",]', 1, 8, "not JSON"),
        ('{"a": 1,\n "b": 2,\n "a": 3}', 3, 2, 'the key "a" stands twice'),
        ('[{"a": 1}, {"a": 1, "\\u0061": 2}]', 1, 21, 'the key "a" stands twice'),
        ("\ufeff{}", 1, 1, "byte order mark"),
        ("// note\n{}", 1, 1, "comments are not JSON"),
        ('{}\n/* note */', 2, 1, "comments are not JSON"),
        ("[\n<<<<<<< HEAD\n", 2, 1, "merge marker"),
        ('["\ud800"]', 1, 3, "lone surrogate"),
        ('["\\ud800"]', 1, 3, "lone surrogate"),
        ('["\\udc00"]', 1, 3, "lone surrogate"),
        ('["\\ud800x\\udc00"]', 1, 3, "lone surrogate"),
        ("[NaN]", 1, 2, "NaN is not JSON"),
        ("[-Infinity]", 1, 2, "-Infinity is not JSON"),
        ("[1e999]", 1, 2, "too large for a double"),
        ("[" + "9" * 1_001 + "]", 1, 2, "an integer of 1001 digits"),
        ("[" + "9" * 5_000 + "]", 1, 2, "an integer of 5000 digits"),
    ],
)  # fmt: skip
def test_what_is_not_plain_json_is_refused_with_its_place(text: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(SchemaError) as refusal:
        read(text, path="a.avsc")
    assert reason in refusal.value.reason
    assert (refusal.value.line, refusal.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\\\ud800"', "\\ud800"),
        ('"a\\u0000b"', "a\0b"),
        ("9" * 1_000, int("9" * 1_000)),
        ("[" * 400 + "]" * 400, None),
    ],
)
def test_what_is_plain_json_is_read(text: str, value: Any) -> None:
    assert read(text, path="a.avsc") == value or value is None


@pytest.mark.parametrize("text", ["[" * 401 + "]" * 401, '{"a":' * 100_000, "[" * 900_000])
def test_json_nested_above_400_levels_is_refused_where_it_passes_the_limit(text: str) -> None:
    with pytest.raises(SchemaLimit, match="nested 401 levels deep; the limit is 400"):
        read(text, path="a.avsc")


def test_many_objects_side_by_side_are_not_deep() -> None:
    assert len(read("[" + "{}," * 1_000 + "{}]", path="a.avsc")) == 1_001


def test_a_text_above_one_mebibyte_is_refused() -> None:
    assert read('"' + "a" * (MAX_BYTES - 2) + '"', path="a.avsc")
    with pytest.raises(SchemaLimit, match="the limit is 1,048,576"):
        read('"' + "é" * (MAX_BYTES // 2) + '"', path="a.avsc")


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 500_000,
        "[" * 399 + '\\"' * 500_000,
        "[" * 401 + '"' + '\\"' * 500_000,
        " " * 1_000_000,
        "{" + ",".join(f'"k{index}":1' for index in range(60_000)) + ',"k59999":1}',
    ],
    ids=["open string", "escapes", "deep and open", "spaces", "late double"],
)
def test_a_hostile_text_is_refused_in_time_that_grows_with_its_length(text: str) -> None:
    # Quadratic scanning of any of these takes minutes, which the suite's time limit ends.
    with pytest.raises(SchemaError):
        read(text, path="a.avsc")


def test_every_pointer_has_the_place_of_its_key_and_its_value() -> None:
    text = '{"a/b": [1, {"~": "x"}],\n "": {}}'
    places = Places(text)
    assert set(places.pointers()) == {"", "/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/1/~0", "/"}
    key, value = places["/a~1b/1/~0"]
    assert (key.column, key.end_column, value.column, value.end_column) == (14, 17, 19, 22)
    key, value = places["/"]
    assert (key.line, key.column, value.line, value.column) == (2, 2, 2, 6)
    assert places[""][1].end_line == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_each_place_holds_the_value_of_its_pointer(document: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    assert read(text, path="a.avsc") == document
    starts = [0, *(match + 1 for match, character in enumerate(text) if character == "\n")]
    places = Places(text)
    for pointer in places.pointers():
        span = places[pointer][1]
        start = starts[span.line - 1] + span.column - 1
        end = starts[span.end_line - 1] + span.end_column - 1
        assert json.loads(text[start:end]) == at(document, pointer)


def at(document: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


@pytest.mark.parametrize("pointer", ["/b", "/a/2", "/a/-1", "/a/x", "/a/0/0", "/a/١"])
def test_a_pointer_to_nothing_is_no_key(pointer: str) -> None:
    with pytest.raises(KeyError):
        Places('{"a": [1, 2]}')[pointer]


def test_places_take_room_for_the_text_and_not_for_the_pointers_into_it() -> None:
    text = json.dumps({"x" * 100_000: [0] * 4_000})
    tracemalloc.start()
    try:
        places = Places(text)
        assert places[f"/{'x' * 100_000}/3999"][1].column == len(text) - 2
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()


def test_lines_end_as_editors_see_them() -> None:
    lines = Lines("a\r\nb\nc\rd")
    assert [lines.at(offset) for offset in (0, 3, 5, 7)] == [(1, 1), (2, 1), (3, 1), (4, 1)]
