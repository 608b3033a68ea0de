"""Places in a topic as people write them: what each text means, and which offset that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from treaty_runtime.seek import InvalidSeek, Kind, Seek, parse_seek, target

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
DIGITS = "9" * 18


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("start", Seek(kind=Kind.START)),
        ("end", Seek(kind=Kind.END)),
        ("0", Seek(kind=Kind.OFFSET)),
        (DIGITS, Seek(kind=Kind.OFFSET, number=int(DIGITS))),
        ("-5", Seek(kind=Kind.LAST, number=5)),
        ("shift:-20", Seek(kind=Kind.SHIFT, number=-20)),
        ("shift:+7", Seek(kind=Kind.SHIFT, number=7)),
        ("@-2h", Seek(kind=Kind.TIME, at=NOW - timedelta(hours=2))),
        ("@2026-11-20T08:00Z", Seek(kind=Kind.TIME, at=NOW - timedelta(days=1))),
        ("@2026-11-20T10:00+02:00", Seek(kind=Kind.TIME, at=NOW - timedelta(days=1))),
    ],
)
def test_a_text_says_where(text: str, meant: Seek) -> None:
    assert parse_seek(text, now=NOW) == meant


@pytest.mark.parametrize(
    "text",
    [
        "", "offset", "last", "1.5", "-0", "-", "shift:5", "shift:", "9" + DIGITS, "@", "@-2", "@--2h", "@2026-11-20T08:00",
        "@-99999999d", "2026-11-20T08:00Z", "@@-2h", "１２",
    ],
)  # fmt: skip
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidSeek):
        parse_seek(text, now=NOW)


@pytest.mark.parametrize(
    ("seek", "offset"),
    [
        (Seek(kind=Kind.START), 10),
        (Seek(kind=Kind.END), 100),
        (Seek(kind=Kind.OFFSET, number=3), 3),
        (Seek(kind=Kind.LAST, number=5), 95),
        (Seek(kind=Kind.LAST, number=500), 10),
        (Seek(kind=Kind.SHIFT, number=-20), 30),
        (Seek(kind=Kind.TIME, at=NOW), 77),
    ],
)
def test_a_place_is_an_offset(seek: Seek, offset: int) -> None:
    assert target(seek, (10, 100), committed=50, at_time=77) == offset


def test_a_time_after_the_last_record_is_the_end_and_nothing_is_shifted_from_nowhere() -> None:
    assert target(Seek(kind=Kind.TIME, at=NOW), (10, 100), committed=50, at_time=None) == 100
    assert target(Seek(kind=Kind.TIME, at=NOW), (10, 100), committed=50, at_time=0) == 0
    assert target(Seek(kind=Kind.SHIFT, number=1), (10, 100), committed=None, at_time=77) is None
    assert target(Seek(kind=Kind.SHIFT, number=1), (10, 100), committed=0, at_time=77) == 1
