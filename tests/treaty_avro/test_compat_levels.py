"""Whether a version may follow a history."""

from __future__ import annotations

from typing import Any

import pytest

from tests.treaty_avro.java import field, record
from treaty_avro import Level, Version, check, parse

BARE = record()
OPTIONAL = field("int", default=1)
REQUIRED = field("int")
TEXT = field("string")


def version(text: str, number: int | None = None) -> Version:
    return Version(number, parse(text), text)


def history(*texts: str) -> list[Version]:
    return [version(text, number) for number, text in enumerate(texts, start=1)]


ALL: tuple[Level, ...] = (
    "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE",
)  # fmt: skip


@pytest.mark.parametrize(
    ("new", "old", "refusing"),
    [
        (OPTIONAL, (BARE,), set()),
        (REQUIRED, (BARE,), {"BACKWARD", "BACKWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}),
        (BARE, (REQUIRED,), {"FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}),
        (TEXT, (REQUIRED,), set(ALL) - {"NONE"}),
        (REQUIRED, (BARE, OPTIONAL), {"BACKWARD_TRANSITIVE", "FULL_TRANSITIVE"}),
        (BARE, (REQUIRED, OPTIONAL), {"FORWARD_TRANSITIVE", "FULL_TRANSITIVE"}),
        (TEXT, (), set()),
    ],
)
@pytest.mark.parametrize("level", ALL)
def test_each_level_refuses_what_it_says(new: str, old: tuple[str, ...], refusing: set[str], level: Level) -> None:
    verdict = check(version(new), history(*old), level)
    assert verdict.is_compatible == (level not in refusing)
    assert verdict.level == level
    assert (verdict.against is None) == verdict.is_compatible


def test_a_transitive_level_goes_from_new_to_old_and_stops_at_the_first_that_fails() -> None:
    verdict = check(version(REQUIRED), history(TEXT, BARE, OPTIONAL), "BACKWARD_TRANSITIVE")
    assert verdict.against is not None
    assert verdict.against.number == 2


def test_full_lists_forward_then_backward() -> None:
    verdict = check(version(TEXT), history(REQUIRED), "FULL")
    assert [finding.direction for finding in verdict.findings] == ["forward", "backward"]


@pytest.mark.parametrize("level", ["BACKWARD", "FORWARD"])
def test_a_field_that_stands_for_two_is_one_finding_with_the_error(level: Any) -> None:
    two = record({"name": "x", "type": "int"}, {"name": "y", "type": "int"})
    ambiguous = field("int", aliases=["y"])
    new, old = (ambiguous, two) if level == "BACKWARD" else (two, ambiguous)
    (finding,) = check(version(new), history(old), level).findings
    assert finding.incompatibility is None
    assert finding.error is not None
    assert finding.error.startswith(
        "Reader record field x type:INT pos:0 matches multiple fields in writer record schema {"
    )
