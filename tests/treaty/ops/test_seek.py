"""Places as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from treaty.errors import UsageError
from treaty.ops.seek import parse_seek, target

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("start", 10),
        ("end", 100),
        ("42", 42),
        ("-5", 95),
        ("-500", 10),
        ("shift:-20", 30),
        ("shift:+7", 57),
        ("@-2h", 77),
    ],
)
def test_a_place_is_an_offset(text: str, offset: int) -> None:
    assert target(parse_seek(text, now=NOW), (10, 100), committed=50, at_time=77) == offset


def test_nothing_is_shifted_from_nowhere() -> None:
    assert target(parse_seek("shift:-1", now=NOW), (0, 9), committed=None, at_time=None) is None


def test_an_instant_has_a_zone_or_is_counted_back() -> None:
    assert parse_seek("@2026-11-20T08:00Z", now=NOW).at == NOW - timedelta(days=1)
    assert parse_seek("@-90m", now=NOW).at == NOW - timedelta(minutes=90)


@pytest.mark.parametrize(
    "text", ["", "begin", "@", "@-2x", "@2026-11-20T08:00", "--5", "1.5", "shift:5", "@-99999999d", "²"]
)
def test_anything_else_shows_the_grammar(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_seek(text, now=NOW)
    assert "shift:-50" in (refusal.value.next_step or "")
