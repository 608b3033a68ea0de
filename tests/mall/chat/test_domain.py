"""Who may say what to whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mall.chat.domain import Conversation, Listing, Refused, Sent, begin, closes_conversations, send
from mall_events.goods import GoodsStatus

LISTING = Listing(goods_id=1, seller_id=20, title="Lamp", status=GoodsStatus.ON_SALE, version=1)
TALK = Conversation(conversation_id=7, goods_id=1, buyer_id=10, seller_id=20, last_sequence=3)


@pytest.mark.parametrize("status", [GoodsStatus.ON_SALE, GoodsStatus.SOLD_OUT])
def test_a_conversation_is_about_goods_on_sale(status: GoodsStatus) -> None:
    listing = replace(LISTING, status=status)
    assert begin(10, listing=listing, goods_id=1) == listing


@pytest.mark.parametrize(
    ("listing", "buyer", "code"),
    [
        (None, 10, "not_on_sale"),
        (replace(LISTING, status=GoodsStatus.DRAFT), 10, "not_on_sale"),
        (replace(LISTING, status=GoodsStatus.OFF_SHELF), 10, "not_on_sale"),
        (LISTING, 20, "own_goods"),
    ],
)
def test_no_conversation_is_opened_about_other_goods(listing: Listing | None, buyer: int, code: str) -> None:
    outcome = begin(buyer, listing=listing, goods_id=1)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


@pytest.mark.parametrize(("sender", "recipient"), [(10, 20), (20, 10)])
def test_a_message_goes_to_the_other_side_with_the_next_number(sender: int, recipient: int) -> None:
    assert send(TALK, sender_id=sender) == Sent(replace(TALK, last_sequence=4), recipient)


def test_a_closed_conversation_takes_no_message() -> None:
    outcome = send(replace(TALK, is_open=False), sender_id=10)
    assert isinstance(outcome, Refused)
    assert outcome.code == "conversation_closed"


@pytest.mark.parametrize("status", list(GoodsStatus))
def test_goods_off_the_shelf_end_their_conversations(status: GoodsStatus) -> None:
    assert closes_conversations(status) is (status is GoodsStatus.OFF_SHELF)
