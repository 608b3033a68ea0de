"""Inboxes: written once, numbered without gaps, read by their owner; on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

from mall.notification.handlers import inbox_handlers
from mall.notification.inbox import Readership
from mall_events.notification import UserNotified
from tests.mall.notification.conftest import Office
from tests.mall.notification.test_domain import BUYER, CREATED, MESSAGE, PAID, SELLER

INBOX = "/api/v1/notifications"


async def test_both_sides_find_the_order_in_their_inbox_and_nodes_are_told(office: Office) -> None:
    await office.tell(CREATED, PAID)
    for user in (BUYER, SELLER):
        inbox = (await office.counter.call("GET", INBOX, user=user)).json()
        assert [(line["sequence"], line["kind"]) for line in inbox["notifications"]] == [
            (1, "order_created"),
            (2, "order_paid"),
        ]
        assert inbox["unread"] == 2
    told = office.counter.told.of(UserNotified)
    assert [(event.user_id, event.sequence, event.kind) for event in told] == [
        (SELLER, 1, "order_created"),
        (BUYER, 1, "order_created"),
        (SELLER, 2, "order_paid"),
        (BUYER, 2, "order_paid"),
    ]
    assert told[0].operator == "system:notification"


async def test_an_event_that_comes_again_tells_nobody_twice(office: Office) -> None:
    event_id = uuid4()
    for _ in range(2):
        await office.counter.handle(inbox_handlers(Readership(locale="zh")), CREATED, event_id=event_id)
    inbox = (await office.counter.call("GET", INBOX, user=BUYER)).json()["notifications"]
    assert [line["title"] for line in inbox] == ["下单成功"]
    assert len(office.counter.told.of(UserNotified)) == 2


async def test_sequences_have_no_gaps_whatever_happens_at_once(office: Office) -> None:
    events = [replace(CREATED, order_id=number) for number in range(1, 9)] + [MESSAGE]
    await asyncio.gather(*(office.tell(event) for event in events))
    inbox = (await office.counter.call("GET", INBOX, user=SELLER)).json()["notifications"]
    assert [line["sequence"] for line in inbox] == list(range(1, 10))


async def test_the_inbox_goes_on_after_a_sequence(office: Office) -> None:
    await office.tell(CREATED, PAID, MESSAGE)
    page = (await office.counter.call("GET", f"{INBOX}?after_sequence=1&limit=1", user=SELLER)).json()
    assert [line["sequence"] for line in page["notifications"]] == [2]


async def test_only_the_owner_reads_and_once_is_enough(office: Office) -> None:
    await office.tell(CREATED)
    (line,) = (await office.counter.call("GET", INBOX, user=BUYER)).json()["notifications"]
    path = f"{INBOX}/{line['notification_id']}/read"
    assert (await office.counter.call("POST", path, user=SELLER)).status_code == 404
    first, second = [await office.counter.call("POST", path, user=BUYER) for _ in range(2)]
    assert first.json()["read_at"] == second.json()["read_at"]
    assert (await office.counter.call("GET", INBOX, user=BUYER)).json()["unread"] == 0
