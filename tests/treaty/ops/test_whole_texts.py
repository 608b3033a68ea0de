"""Texts that refer to others, made whole; and how strictly a shared type is kept. No registry is asked."""

from __future__ import annotations

import pytest

from treaty.ops.plan.references import Reference, strictest
from treaty.ops.whole import Piece, Wholes

CURRENCY = (
    '{"type": "enum", "namespace": "mall", "name": "Currency", "symbols": ["UNKNOWN", "CNY"], "default": "UNKNOWN"}'
)
LINE = """{"type": "record", "namespace": "mall.order", "name": "OrderLine", "fields": [
  {"name": "currency", "type": "mall.Currency"}]}"""
EVENT = """{"type": "record", "namespace": "mall.order", "name": "E", "fields": [
  {"name": "lines", "type": {"type": "array", "items": "OrderLine"}}]}"""


def test_a_registered_text_is_whole_whatever_became_of_the_listing_of_its_types() -> None:
    line = Piece(text=LINE, references=(Reference(name="mall.Currency", subject="c", version=3),))
    circle = Piece(text=LINE, references=(Reference(name="mall.Currency", subject="circle", version=1),))
    held: dict[tuple[str, int], Piece] = {("c", 3): Piece(text=CURRENCY), ("circle", 1): circle}
    assert '"symbols":["UNKNOWN","CNY"]' in Wholes(held.__getitem__).text(line)
    assert Wholes(lambda _: None).text(line) == line.text, "what is gone for good is left out"
    assert Wholes(held.__getitem__).text(circle) == circle.text, "and what needs itself is left as it is"


def test_what_cannot_be_made_whole_is_asked_for_once() -> None:
    broken = Piece(text=LINE, references=(Reference(name="mall.Currency", subject="gone", version=1),))
    event = Piece(text=EVENT, references=(Reference(name="mall.order.OrderLine", subject="line", version=1),))
    asked: list[tuple[str, int]] = []

    def ask(place: tuple[str, int]) -> Piece | None:
        asked.append(place)
        return broken if place == ("line", 1) else None

    wholes = Wholes(ask)
    assert wholes.text(event) == wholes.text(event) == event.text
    assert asked == [("line", 1), ("gone", 1)]


@pytest.mark.parametrize(
    ("levels", "all_of_them"),
    [
        (["BACKWARD", "FORWARD_TRANSITIVE"], "FULL_TRANSITIVE"),
        (["BACKWARD", "NONE"], "BACKWARD"),
        (["NONE"], "NONE"),
        (["FULL", "BACKWARD"], "FULL"),
    ],
)
def test_a_shared_type_promises_what_each_of_its_events_does(levels: list[str], all_of_them: str) -> None:
    assert strictest(levels) == all_of_them
