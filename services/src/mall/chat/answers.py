"""Conversations and messages as clients see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from mall import cursors
from mall.chat.tables import ConversationRow, MessageRow


class ConversationAnswer(BaseModel):
    """One conversation."""

    conversation_id: int
    goods_id: int
    buyer_id: int
    seller_id: int
    status: str
    last_sequence: int
    created_at: datetime


class ConversationPage(BaseModel):
    """A page of conversations; `next_cursor` is null on the last one."""

    conversations: list[ConversationAnswer]
    next_cursor: str | None


class MessageAnswer(BaseModel):
    """One message; SENT until its recipient has read it."""

    message_id: UUID
    conversation_id: int
    sequence: int
    sender_id: int
    recipient_id: int
    text: str
    status: str
    sent_at: datetime
    read_at: datetime | None


class MessagePage(BaseModel):
    """A page of messages, newest first; `next_cursor` is null on the last one."""

    messages: list[MessageAnswer]
    next_cursor: str | None


def conversation_answer(row: ConversationRow) -> ConversationAnswer:
    """The conversation of a written row."""
    return ConversationAnswer(
        conversation_id=row.id or 0,
        status="OPEN" if row.is_open else "CLOSED",
        **row.model_dump(exclude={"id", "is_open"}),
    )


def message_answer(row: MessageRow) -> MessageAnswer:
    """The message of a row."""
    return MessageAnswer(status="READ" if row.read_at else "SENT", **row.model_dump())


def conversation_page(rows: Sequence[ConversationRow], *, size: int) -> ConversationPage:
    """A page, given up to `size + 1` rows."""
    shown, next_cursor = cursors.page(rows, size=size, id_of=lambda row: row.id or 0)
    return ConversationPage(conversations=[conversation_answer(row) for row in shown], next_cursor=next_cursor)


def message_page(rows: Sequence[MessageRow], *, size: int) -> MessagePage:
    """A page, given up to `size + 1` rows."""
    shown, next_cursor = cursors.page(rows, size=size, id_of=lambda row: row.sequence)
    return MessagePage(messages=[message_answer(row) for row in shown], next_cursor=next_cursor)
