"""A finding's line with its place marked: what stands where, whatever the line holds and however narrow the terminal is."""

from __future__ import annotations

import pytest

from treaty_codegen.finding import Finding, Location, Severity, Text
from treaty_codegen.render import text
from treaty_codegen.render.frame import cells, frame, lines_of

PATH = "schemas/order/order_paid.avsc"


def at(line: int, column: int, end_column: int, *, end_line: int = 0) -> Location:
    return Location(path=PATH, line=line, column=column, end_line=end_line or line, end_column=end_column)


def test_the_line_and_the_marks_stand_between_the_finding_and_its_help() -> None:
    source = '{"type": "record",\n "name": "OrderPaid",\n "doc": ""}\n'
    row = Finding(
        rule="record-without-doc",
        severity=Severity.ERROR,
        category="docs",
        at=at(3, 9, 11),
        message=Text("OrderPaid has no doc"),
        help=Text("say what happened"),
        fingerprint="0" * 16,
    )
    assert text([row], sources={PATH: source}) == (
        f"{PATH}:3:9 record-without-doc: OrderPaid has no doc\n"
        ' 3 |  "doc": ""}\n'
        "   |         ^^\n"
        "  help: say what happened\n"
    )
    assert text([row]) == text([row], sources={"schemas/other.avsc": source}), "a file that is not known has no frame"


@pytest.mark.parametrize(
    ("line", "place", "expected"),
    [
        ('"名字": "price"', at(1, 7, 14), [' 1 | "名字": "price"', "   |         ^^^^^^^"]),
        ('"name": "价格"', at(1, 9, 13), [' 1 | "name": "价格"', "   |         ^^^^^^"]),
        ('\t"doc": ""', at(1, 9, 11), [' 1 |     "doc": ""', "   |            ^^"]),
        ('"e\u0301tat": 1', at(1, 10, 11), [' 1 | "e\u0301tat": 1', "   |         ^"]),
        ("partitions = 3", at(1, 1, 1), [" 1 | partitions = 3", "   | ^^^^^^^^^^^^^^"]),
        ('{"a": [', at(1, 7, 3, end_line=4), [' 1 | {"a": [', "   |       ^"]),
        ('{"a": 1', at(1, 8, 8), [' 1 | {"a": 1', "   |        ^"]),
        ("", at(1, 1, 1), [" 1 |", "   | ^"]),
    ],
    ids=["wide-before", "wide-within", "tab", "combining", "whole-line", "several-lines", "behind-the-end", "empty"],
)
def test_marks_stand_under_what_they_mark(line: str, place: Location, expected: list[str]) -> None:
    assert frame([line], place) == expected


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x9b2J", "\u202e", "\x07", "\x00", "\u2028", "\r", "\ue000"])
def test_nothing_that_a_terminal_obeys_is_shown(evil: str) -> None:
    for place in (at(1, 2, 5), at(1, 5 + len(evil), 6 + len(evil))):
        shown, marks = frame([f'"ab{evil}cd"'], place)
        assert shown.isprintable()
        assert evil not in shown
        assert set(marks) <= set(" |^")


@pytest.mark.parametrize("width", [1, 20, 40, 80, 200])
@pytest.mark.parametrize("column", [1, 5, 500, 99_990])
def test_a_long_line_is_cut_around_its_marks(width: int, column: int) -> None:
    line = "".join(chr(ord("a") + number % 26) for number in range(100_000))
    shown, marks = frame([line], at(1, column, column + 3))
    narrow, below = frame([line], at(1, column, column + 3), width=width)
    assert cells(narrow) <= max(width, 16 + len(" 1 | ") + 1)
    for top, bottom in ((shown, marks), (narrow, below)):
        begin = bottom.index("^")
        assert top[begin : begin + 3] == line[column - 1 : column + 2]


def test_marks_of_a_long_stretch_end_with_the_line() -> None:
    shown, marks = frame(["x" * 1_000], at(1, 3, 900), width=30)
    assert (shown, marks) == (" 1 | xx" + "x" * 19 + "...", "   |   " + "^" * 22)


def test_lines_are_counted_as_the_parser_counts_them() -> None:
    assert lines_of("a\r\nb\rc\nd\u2028e") == ["a", "b", "c", "d\u2028e"]
    assert frame(["only"], at(2, 1, 2)) == []


def test_colours_are_on_the_marks_alone() -> None:
    assert frame(["abc"], at(1, 2, 3), paint="33") == [" 1 | abc", "   |  \x1b[33m^\x1b[0m"]
