"""Conversations over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from mall import cursors
from mall.chat import saying, store
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
from mall.chat.tables import ConversationRow, idempotency_keys
from mall.errors import NotFound
from mall.idempotency import Attempt
from mall.identity import Identity
from mall.requests import Body, Id, Text
from mall.web import AtDesk, IdempotencyKey, PageSize, PathId, Who

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
        row, is_new = await saying.open_about(work, goods_id=body.goods_id, buyer=who)
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
            return message_answer(await saying.say(work, row=row, sender=who, text=body.text))

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
