"""Text of a schema as Python source: it always comes back, and is never anything but text."""

from __future__ import annotations

import ast
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_codegen.literals import bytes_literal, docstring, literal

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.lists(
    st.sampled_from(
        ['"', "'", "\\", "\n", '"""', " ", "\t", "a", "{", "#", "\r", "\x00", "\u2028", "\ud800", "\U0001f600"]
    )
).map("".join)


@given(ANY_TEXT)
def test_a_literal_is_ascii_and_gives_the_text_back(text: str) -> None:
    source = literal(text)
    assert source.isascii()
    assert ast.literal_eval(source) == text


@given(st.binary())
def test_bytes_come_back_too(value: bytes) -> None:
    assert ast.literal_eval(bytes_literal(value)) == value


@given(ANY_TEXT)
def test_documentation_is_one_string_and_gives_the_text_back(text: str) -> None:
    source = f"class X:\n    {docstring(text, indent='    ')}\n    y = 1\n"
    (class_,) = ast.parse(source).body
    assert isinstance(class_, ast.ClassDef)
    statement = class_.body[0]
    assert isinstance(statement, ast.Expr)
    assert len(class_.body) == 2
    value = ast.literal_eval(statement.value)
    assert text in (value, inspect.cleandoc(value))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("plain", '"plain"'),
        ('say "hi"', "'say \"hi\"'"),
        ("it's", '"it\'s"'),
        ("two\nlines", '(\n    "two\\n"\n    "lines"\n)'),
        ("ends\n", '(\n    "ends\\n"\n)'),
    ],
)
def test_a_literal_looks_as_a_person_would_write_it(text: str, source: str) -> None:
    assert literal(text) == source


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("A plain sentence: größer, 大.", '"""A plain sentence: größer, 大."""'),
        ("two\n\nlines", '"""two\n\n    lines"""'),
        ('ends in "', "'ends in \"'"),
        ("right to left \u202e", '"right to left \\u202e"'),
        ("\U0001f600", '"""\U0001f600"""'),
        # Letters of newer editions of Unicode: some Pythons would call them printable, others not.
        ("\U0001fae8 of 15.0", '"\\U0001fae8 of 15.0"'),
        ("\U0001fabe of 16.0", '"\\U0001fabe of 16.0"'),
        (" begins with a space", '" begins with a space"'),
        ("", '""'),
    ],
)
def test_documentation_is_triple_quoted_only_where_that_is_safe(text: str, source: str) -> None:
    assert docstring(text, indent="    ") == source
