"""Carries out `domain.begin` and `domain.send`: the conversation, the message and its event in one transaction."""

from __future__ import annotations

from mall.chat import events, store
from mall.chat.domain import Refused, begin, send
from mall.chat.tables import ConversationRow, MessageRow
from mall.errors import Refusal
from mall.identity import Identity
from mall.work import Work

NEXT_STEPS = {
    "not_on_sale": "Look the goods up again; they may be off the shelf.",
    "own_goods": "Wait for a buyer to write.",
    "conversation_closed": "Open a conversation about other goods.",
}


async def open_about(work: Work, *, goods_id: int, buyer: Identity) -> tuple[ConversationRow, bool]:
    """The buyer's one conversation about goods, and whether it is new; raises Refusal if nobody may talk about them."""
    listing = begin(buyer.user_id, listing=await store.find_listing(work.session, goods_id), goods_id=goods_id)
    if isinstance(listing, Refused):
        raise _refusal(listing)
    return await store.open_conversation(work.session, listing, buyer_id=buyer.user_id, now=work.now)


async def say(work: Work, *, row: ConversationRow, sender: Identity, text: str) -> MessageRow:
    """Write a message into a locked conversation and tell it; raises Refusal if the conversation is closed."""
    outcome = send(row.value(), sender_id=sender.user_id)
    if isinstance(outcome, Refused):
        raise _refusal(outcome)
    row.last_sequence = outcome.conversation.last_sequence
    told = events.said(outcome, sender_id=sender.user_id, text=text, now=work.now, operator=sender.operator)
    message = MessageRow(
        message_id=told.message_id,
        conversation_id=told.conversation_id,
        sequence=told.sequence,
        sender_id=told.sender_id,
        recipient_id=told.recipient_id,
        text=text,
        sent_at=work.now,
    )
    work.session.add(message)
    work.stage(told)
    return message


def _refusal(refused: Refused) -> Refusal:
    return Refusal(refused.code, refused.message, next_step=NEXT_STEPS[refused.code])
