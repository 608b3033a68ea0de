"""Conversations over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import NAMESPACE_OID, uuid5

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from mall import cursors
from mall.chat import store
from mall.chat.answers import (
    ConversationAnswer,
    ConversationPage,
    MessageAnswer,
    MessagePage,
    conversation_answer,
    conversation_page,
    message_answer,
    message_page,
)
from mall.chat.domain import NEXT_STEPS, Refused, begin, send
from mall.chat.tables import ConversationRow, MessageRow, idempotency_keys
from mall.errors import NotFound, Refusal
from mall.idempotency import Attempt
from mall.identity import Identity
from mall.requests import Body, Id, Text
from mall.web import AtDesk, IdempotencyKey, PageSize, PathId, Who
from mall.work import Work
from mall_events.chat import ChatMessageCreated

routes = APIRouter(prefix="/api/v1")


class OpenConversation(Body):
    """About which goods."""

    goods_id: Id


class NewMessage(Body):
    """What is said."""

    text: Annotated[Text, Field(min_length=1, max_length=2_000)]


class ReadUpTo(Body):
    """The last message that was read."""

    sequence: Id


@routes.post("/conversations", status_code=201)
async def open_conversation(body: OpenConversation, who: Who, desk: AtDesk, response: Response) -> ConversationAnswer:
    """Open the conversation with the seller of goods; the same one again answers 200."""
    async with desk.open() as work:
        listing = begin(
            who.user_id, listing=await store.find_listing(work.session, body.goods_id), goods_id=body.goods_id
        )
        if isinstance(listing, Refused):
            raise Refusal(listing.code, listing.message, next_step=NEXT_STEPS[listing.code])
        row, is_new = await store.open_conversation(work.session, listing, buyer_id=who.user_id, now=work.now)
        response.status_code = 201 if is_new else 200
        return conversation_answer(row)


@routes.get("/conversations")
async def conversations(
    who: Who,
    desk: AtDesk,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: PageSize = cursors.PAGE,
) -> ConversationPage:
    """The caller's conversations, newest first."""
    async with desk.look() as session:
        rows = await store.conversations(session, user_id=who.user_id, before=cursors.decode(cursor), size=limit)
    return conversation_page(rows, size=limit)


@routes.post("/conversations/{conversation_id}/messages", status_code=201, response_model=MessageAnswer)
async def say(
    conversation_id: PathId, body: NewMessage, who: Who, desk: AtDesk, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Send a message to the other side."""
    operation = f"send_message:{conversation_id}"
    attempt = Attempt(key=idempotency_key, user_id=who.user_id, operation=operation, body=body)
    async with desk.open() as work:
        row = await _own(work.session, conversation_id, who, lock=True)

        async def once() -> MessageAnswer:
            return message_answer(_say(work, row, who, body.text))

        answer = await idempotency_keys.once(work.session, attempt, now=work.now, work=once)
    return JSONResponse(answer, status_code=201)


@routes.get("/conversations/{conversation_id}/messages")
async def messages(
    conversation_id: PathId,
    who: Who,
    desk: AtDesk,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: PageSize = cursors.PAGE,
) -> MessagePage:
    """The messages of a conversation, newest first."""
    async with desk.look() as session:
        await _own(session, conversation_id, who)
        rows = await store.messages(session, conversation_id=conversation_id, before=cursors.decode(cursor), size=limit)
    return message_page(rows, size=limit)


@routes.post("/conversations/{conversation_id}/read", status_code=204)
async def read(conversation_id: PathId, who: Who, desk: AtDesk, body: ReadUpTo | None = None) -> None:
    """Mark what the caller received as read, all of it or up to a sequence."""
    async with desk.open() as work:
        row = await _own(work.session, conversation_id, who)
        up_to = body.sequence if body else row.last_sequence
        await store.mark_read(
            work.session, conversation_id=conversation_id, reader_id=who.user_id, up_to=up_to, now=work.now
        )


@routes.post("/conversations/{conversation_id}/close")
async def close(conversation_id: PathId, who: Who, desk: AtDesk) -> ConversationAnswer:
    """End the conversation, as either side; it stays readable."""
    async with desk.open() as work:
        row = await _own(work.session, conversation_id, who, lock=True)
        row.is_open = False
        return conversation_answer(row)


async def _own(session: AsyncSession, conversation_id: int, who: Identity, *, lock: bool = False) -> ConversationRow:
    row = await store.find_conversation(session, conversation_id, lock=lock)
    if row is None or who.user_id not in (row.buyer_id, row.seller_id):
        raise NotFound
    return row


def _say(work: Work, row: ConversationRow, who: Identity, text: str) -> MessageRow:
    outcome = send(row.value(), sender_id=who.user_id)
    if isinstance(outcome, Refused):
        raise Refusal(outcome.code, outcome.message, next_step=NEXT_STEPS[outcome.code])
    row.last_sequence = outcome.conversation.last_sequence
    message = MessageRow(
        # Derived, not drawn: the conversation and the place in it name a message for ever.
        message_id=uuid5(NAMESPACE_OID, f"mall:message:{row.id}:{row.last_sequence}"),
        conversation_id=outcome.conversation.conversation_id,
        sequence=row.last_sequence,
        sender_id=who.user_id,
        recipient_id=outcome.recipient_id,
        text=text,
        sent_at=work.now,
    )
    work.session.add(message)
    work.stage(
        ChatMessageCreated(
            message_id=message.message_id,
            conversation_id=message.conversation_id,
            goods_id=row.goods_id,
            sender_id=message.sender_id,
            recipient_id=message.recipient_id,
            sequence=message.sequence,
            text=text,
            event_time=work.now,
            operator=who.operator,
        )
    )
    return message
