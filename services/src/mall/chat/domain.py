"""Conversations between a buyer and a seller about goods.

Law 1: one conversation per buyer and goods.
Law 2: messages of a conversation are numbered from 1 without gaps.
Law 3: a closed conversation stays closed and takes no message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mall_events.goods import GoodsStatus

TALKED_ABOUT = frozenset({GoodsStatus.ON_SALE, GoodsStatus.SOLD_OUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What chat knows of goods: a copy made from GoodsUpdated."""

    goods_id: int
    seller_id: int
    title: str
    status: GoodsStatus
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation; `last_sequence` is the number of its newest message."""

    conversation_id: int
    goods_id: int
    buyer_id: int
    seller_id: int
    is_open: bool = True
    last_sequence: int = 0

    def other(self, user_id: int) -> int:
        """The one the message goes to."""
        return self.seller_id if user_id == self.buyer_id else self.buyer_id


@dataclass(frozen=True, slots=True)
class Refused:
    """That may not be said: a code for programs, a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The conversation after the message, and who receives it."""

    conversation: Conversation
    recipient_id: int


def begin(buyer_id: int, *, listing: Listing | None, goods_id: int) -> Listing | Refused:
    """The goods a conversation may be opened about, or why not."""
    if listing is None or listing.status not in TALKED_ABOUT:
        return Refused("not_on_sale", f"Goods {goods_id} are not on sale.")
    if listing.seller_id == buyer_id:
        return Refused("own_goods", f"Goods {goods_id} are your own.")
    return listing


def send(conversation: Conversation, *, sender_id: int) -> Sent | Refused:
    """The conversation with one more message of one of its two sides."""
    if not conversation.is_open:
        return Refused("conversation_closed", f"Conversation {conversation.conversation_id} is closed.")
    longer = replace(conversation, last_sequence=conversation.last_sequence + 1)
    return Sent(longer, conversation.other(sender_id))


def closes_conversations(status: GoodsStatus) -> bool:
    """Whether goods of this status end the conversations about them."""
    return status is GoodsStatus.OFF_SHELF
