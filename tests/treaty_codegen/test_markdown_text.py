"""Texts in Markdown are shown as what they are, by an implementation that is not ours."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.treaty_codegen.rendered import seen
from treaty_codegen.documents.markdown_text import code, fence, paragraphs, plain, table

NASTY = st.text(alphabet="\\`*_[]()<>|&$#+-=:;!@.19aZé \n\t\"'~{}^/\u202e\x00", max_size=30) | st.text(max_size=30)


def shown(text: str) -> str:
    """A text on one line, as a reader is to see it; unseen characters are told by their number."""
    unseen = re.compile(
        "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
    )
    return unseen.sub(lambda match: f"\\u{ord(match[0]):04x}", " ".join(text.split()))


def unquoted(text: str) -> str:
    """The same without the backticks around code."""
    return " ".join(re.sub(r"(?<!`)`([^`]+)`(?!`)", lambda match: match[1].strip(), shown(text)).split())


@given(text=NASTY)
@example("half a pair: \ud83d")
@example("![x](javascript:alert(1))")
@example("a | b \\| c \\\\| `d|e`")
@example("``x` y`")
@example("[a]: http://example.com")
def test_a_text_in_a_cell_is_that_text_and_nothing_else(text: str) -> None:
    found = seen(table(("a", "b"), [[plain(text), "end"]]))
    assert found.tags <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert not found.links
    assert not found.comments
    *_, cell, end = found.texts
    assert end == "end"
    assert " ".join(cell.split()) == unquoted(text)


@given(text=NASTY)
@example("# no heading")
@example("1) no list")
@example("- no list\n\n---\n\n> no quote\n\n    no code")
@example("=\n\n===\n\n[x]: y")
def test_a_paragraph_is_a_paragraph_whatever_it_begins_with(text: str) -> None:
    blocks = list(paragraphs(text))
    found = seen("\n\n".join(blocks))
    assert found.tags <= {"p", "code"}
    assert not found.links
    parts = re.split(r"\n[^\S\n]*\n", text.replace("\r\n", "\n"))
    told = [" ".join(each.split()) for each in found.texts]
    for part in (unquoted(part) for part in parts):
        assert not part or part in told


@given(text=NASTY)
@example("`")
@example("``|``")
@example(" ` ")
def test_code_is_code_in_a_cell_and_outside(text: str) -> None:
    for markdown in (code(text), table(("a",), [[code(text)]])):
        found = seen(markdown)
        assert found.tags <= {"p", "code", "table", "thead", "tbody", "tr", "th", "td"}
        if shown(text):
            assert shown(text) in [" ".join(each.split()) for each in found.texts]


@given(text=NASTY)
@example("```\n<script>alert(1)</script>\n````")
def test_nothing_in_a_block_of_code_ends_it(text: str) -> None:
    found = seen(fence(text, language="json") + "\n\nafter")
    assert found.tags == {"pre", "code", "p"}
    assert found.texts[-1] == "after"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Sum in `currency`, see order_id.", "Sum in `currency`, see order_id."),
        ("a * b < c", "a \\* b &lt; c"),
        ("$x$ & _y_", "&#36;x&#36; &amp; \\_y\\_"),
        ("two\n  lines", "two lines"),
        ("\u202egnp.exe", "\\\\u202egnp.exe"),
    ],
)
def test_ordinary_text_stays_readable_in_the_source(text: str, markdown: str) -> None:
    assert plain(text) == markdown


def test_columns_that_hold_nothing_may_be_left_out() -> None:
    assert table(("a", "b"), [["1", ""]], may_drop=("b",)) == "| a |\n| --- |\n| 1 |"
    assert table(("a", "b"), [["1", ""]]) == "| a | b |\n| --- | --- |\n| 1 |  |"
