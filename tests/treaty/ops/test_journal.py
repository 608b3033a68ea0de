"""What is read of the operators' journal, which everybody who is let may write."""

from __future__ import annotations

import json

import pytest

from treaty.ops.journal import Note, read

NOTE = {"subject": "dlq.order/0/1", "act": "discarded", "by": "ana", "at": "2026-03-01T00:00:00+00:00"}


def test_a_note_is_read_without_what_it_does_not_know() -> None:
    assert read(json.dumps({**NOTE, "reason": 7, "later": "x"}).encode()) == Note(**NOTE)


@pytest.mark.parametrize(
    "value",
    [None, b"", b"[]", b"\xff", b"[" * 100_000, b"1" * 5_000, json.dumps({**NOTE, "act": None}).encode()],
)
def test_what_is_no_note_is_left_out_and_stops_no_command(value: bytes | None) -> None:
    assert read(value) is None
