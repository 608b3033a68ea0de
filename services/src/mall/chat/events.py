"""What the chat service tells: pure functions from decisions to events."""

from __future__ import annotations

from datetime import datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from mall.chat.domain import Sent
from mall_events.chat import ChatMessageCreated


def message_id(conversation_id: int, sequence: int) -> UUID:
    """The name of a message: derived, not drawn, so the conversation and the place in it name a message for ever."""
    return uuid5(NAMESPACE_OID, f"mall:message:{conversation_id}:{sequence}")


def said(sent: Sent, *, sender_id: int, text: str, now: datetime, operator: str) -> ChatMessageCreated:
    """The event of a message."""
    conversation = sent.conversation
    return ChatMessageCreated(
        message_id=message_id(conversation.conversation_id, conversation.last_sequence),
        conversation_id=conversation.conversation_id,
        goods_id=conversation.goods_id,
        sender_id=sender_id,
        recipient_id=sent.recipient_id,
        sequence=conversation.last_sequence,
        text=text,
        event_time=now,
        operator=operator,
    )
