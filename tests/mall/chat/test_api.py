"""Conversations over HTTP, on both databases."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from mall.chat.handlers import handlers
from mall.chat.saying import open_about
from mall.identity import Identity
from mall_events.chat import ChatMessageCreated
from mall_events.goods import GoodsStatus, GoodsUpdated
from tests.mall.counter import Counter
from tests.parts.waiting import DEADLINE, eventually

BUYER, SELLER, STRANGER = 10, 20, 30
TALKS = "/api/v1/conversations"


async def goods(chat: Counter, *, version: int = 1, status: GoodsStatus = GoodsStatus.ON_SALE) -> None:
    event = GoodsUpdated(
        goods_id=1,
        goods_version=version,
        seller_id=SELLER,
        title="Lamp",
        description="",
        category="home",
        price=Decimal("3.50"),
        status=status,
        listed_quantity=1,
        event_time=chat.desk.now(),
    )
    await chat.handle(handlers, event)


async def opened(chat: Counter) -> str:
    await goods(chat)
    answer = await chat.call("POST", TALKS, user=BUYER, json={"goods_id": 1})
    assert answer.status_code == 201, answer.text
    return f"{TALKS}/{answer.json()['conversation_id']}"


async def say(chat: Counter, path: str, text: str, *, user: int = BUYER, **rest: Any) -> Any:
    return await chat.call("POST", f"{path}/messages", user=user, json={"text": text}, **rest)


async def test_a_buyer_has_one_conversation_about_goods(chat: Counter) -> None:
    path = await opened(chat)
    again = await chat.call("POST", TALKS, user=BUYER, json={"goods_id": 1})
    assert (again.status_code, f"{TALKS}/{again.json()['conversation_id']}") == (200, path)
    other = await chat.call("POST", TALKS, user=STRANGER, json={"goods_id": 1})
    assert other.json()["conversation_id"] != again.json()["conversation_id"]


async def test_messages_are_numbered_told_and_read(chat: Counter) -> None:
    path = await opened(chat)
    assert (await say(chat, path, "Is it warm?")).json()["sequence"] == 1
    assert (await say(chat, path, "Very.", user=SELLER)).json()["sequence"] == 2
    first, second = chat.told.of(ChatMessageCreated)
    assert (first.sender_id, first.recipient_id, first.text, first.sequence) == (BUYER, SELLER, "Is it warm?", 1)
    assert (second.sender_id, second.recipient_id, second.goods_id) == (SELLER, BUYER, 1)
    assert (await chat.call("POST", f"{path}/read", user=SELLER)).status_code == 204
    messages = (await chat.call("GET", f"{path}/messages", user=BUYER)).json()["messages"]
    assert [(message["sequence"], message["status"]) for message in messages] == [(2, "SENT"), (1, "READ")]


async def test_messages_sent_at_once_have_numbers_without_gaps(chat: Counter) -> None:
    path = await opened(chat)
    answers = await asyncio.gather(*(say(chat, path, str(number)) for number in range(12)))
    assert sorted(answer.json()["sequence"] for answer in answers) == list(range(1, 13))
    told = sorted(chat.told.of(ChatMessageCreated), key=lambda event: event.sequence)
    assert len({event.message_id for event in told}) == 12


async def test_messages_are_paged_newest_first(chat: Counter) -> None:
    path = await opened(chat)
    for number in range(5):
        await say(chat, path, str(number))
    page = (await chat.call("GET", f"{path}/messages?limit=3", user=BUYER)).json()
    rest = (await chat.call("GET", f"{path}/messages?limit=3&cursor={page['next_cursor']}", user=BUYER)).json()
    assert [message["text"] for message in page["messages"] + rest["messages"]] == ["4", "3", "2", "1", "0"]
    assert rest["next_cursor"] is None


async def test_a_retried_message_is_sent_once(chat: Counter) -> None:
    path = await opened(chat)
    answers = [await say(chat, path, "Hello", headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(chat.told.of(ChatMessageCreated)) == 1


async def test_strangers_neither_read_nor_write(chat: Counter) -> None:
    path = await opened(chat)
    for method, suffix, body in (
        ("GET", "/messages", None),
        ("POST", "/messages", {"text": "x"}),
        ("POST", "/read", None),
        ("POST", "/close", None),
    ):
        assert (await chat.call(method, path + suffix, user=STRANGER, json=body)).status_code == 404
    assert (await chat.call("GET", TALKS, user=STRANGER)).json()["conversations"] == []


@pytest.mark.parametrize("text", ["", "x" * 2_001, "a\x00b"])
async def test_a_text_that_cannot_be_is_refused(chat: Counter, text: str) -> None:
    path = await opened(chat)
    assert (await say(chat, path, text)).status_code == 422
    assert (await say(chat, path, "字" * 2_000)).status_code == 201


async def test_a_closed_conversation_is_readable_and_takes_nothing(chat: Counter) -> None:
    path = await opened(chat)
    await say(chat, path, "Hello")
    assert (await chat.call("POST", f"{path}/close", user=SELLER)).json()["status"] == "CLOSED"
    refused = await say(chat, path, "Still there?")
    assert (refused.status_code, refused.json()["error"]) == (409, "conversation_closed")
    assert len((await chat.call("GET", f"{path}/messages", user=BUYER)).json()["messages"]) == 1


async def test_goods_off_the_shelf_close_their_conversations_and_older_news_do_not(chat: Counter) -> None:
    path = await opened(chat)
    await goods(chat, version=3, status=GoodsStatus.OFF_SHELF)
    await goods(chat, version=2)
    assert (await say(chat, path, "Hello")).json()["error"] == "conversation_closed"
    assert (await chat.call("POST", TALKS, user=STRANGER, json={"goods_id": 1})).json()["error"] == "not_on_sale"


async def test_goods_that_leave_the_shelf_close_a_conversation_that_is_just_being_opened(chat: Counter) -> None:
    await goods(chat)
    async with chat.desk.open() as work:
        await open_about(work, goods_id=1, buyer=Identity(user_id=BUYER, is_admin=False))
        leaving = asyncio.create_task(goods(chat, version=2, status=GoodsStatus.OFF_SHELF))
        if chat.database.engine.dialect.name == "postgresql":  # SQLite has one writer anyway
            await eventually(lambda: is_through_or_waits(chat, leaving))
        assert not leaving.done()
    await leaving
    (listed,) = (await chat.call("GET", TALKS, user=BUYER)).json()["conversations"]
    assert listed["status"] == "CLOSED"


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # SQLite has one writer at a time
async def test_who_opens_a_conversation_does_not_wait_for_another_who_does(chat: Counter) -> None:
    await goods(chat)
    async with chat.desk.open() as work:
        await open_about(work, goods_id=1, buyer=Identity(user_id=BUYER, is_admin=False))
        other = chat.call("POST", TALKS, user=STRANGER, json={"goods_id": 1})
        assert (await asyncio.wait_for(other, DEADLINE)).status_code == 201


async def is_through_or_waits(chat: Counter, task: asyncio.Task[None]) -> bool:
    async with chat.desk.look() as session:
        return task.done() or bool(await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


async def test_both_sides_list_the_conversation(chat: Counter) -> None:
    await opened(chat)
    for user in (BUYER, SELLER):
        (listed,) = (await chat.call("GET", TALKS, user=user)).json()["conversations"]
        assert (listed["goods_id"], listed["buyer_id"], listed["seller_id"], listed["status"]) == (
            1,
            BUYER,
            SELLER,
            "OPEN",
        )
