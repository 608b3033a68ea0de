"""Counters and recorded events over HTTP, on both databases."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from mall.analytics.domain import NAMES
from mall.analytics.handlers import counting_handlers
from mall_events.analytics import AnalyticsRecorded
from mall_events.user import UserActivity
from tests.mall.analytics.feeding import activity, feed, paid, placed, viewed
from tests.mall.counter import Clock, Counter, Tokens

LIVE, EVENTS, ADMIN = "/api/v1/analytics/live", "/api/v1/analytics/events", 1
CLICK = {"name": "search_submitted", "source": "web", "subject": "goods:17", "properties": {"words": "lamp"}}


async def live(analytics: Counter) -> dict[str, Any]:
    answer = await analytics.call("GET", LIVE, user=ADMIN, admin=True)
    shown: dict[str, Any] = answer.json()
    return shown


async def test_counters_are_what_a_recount_gives(analytics: Counter, clock: Clock) -> None:
    clock.move(minutes=2)
    handlers = counting_handlers()
    for _ in range(3):
        await feed(analytics, handlers, [placed(), paid(), viewed(), viewed(), activity(UserActivity.REGISTERED)])
    shown = await live(analytics)
    today = {name: value for name, value in shown["today"].items() if value}
    assert today == {
        "orders_created": 3,
        "orders_paid": 3,
        "gmv_paid_minor": 2100,
        "goods_views": 6,
        "registrations": 3,
    }
    assert set(shown["today"]) == set(NAMES)
    assert shown["last_minutes"]["orders_paid"] == 0 or shown["last_minutes"]["orders_paid"] == 3
    clock.move(hours=2)
    assert (await live(analytics))["last_hour"]["orders_paid"] == 0
    assert (await live(analytics))["today"]["orders_paid"] == 3
    clock.move(hours=12)
    assert (await live(analytics))["today"]["orders_paid"] == 0


async def test_many_batches_at_once_add_up(analytics: Counter, clock: Clock) -> None:
    handlers = counting_handlers()
    await asyncio.gather(*(feed(analytics, handlers, [paid(), activity(UserActivity.UNUSUAL_LOGIN)]) for _ in range(8)))
    clock.move(minutes=2)
    today = (await live(analytics))["today"]
    assert (today["orders_paid"], today["gmv_paid_minor"], today["unusual_logins"], today["logins"]) == (8, 5600, 8, 8)


async def test_the_figures_are_for_admins(analytics: Counter) -> None:
    assert (await analytics.call("GET", LIVE)).status_code == 401
    assert (await analytics.call("GET", LIVE, user=10)).status_code == 403


async def test_what_a_program_records_is_published_and_counted(analytics: Counter, clock: Clock) -> None:
    answer = await analytics.call("POST", EVENTS, user=10, json=CLICK)
    assert answer.status_code == 202
    (told,) = analytics.told.of(AnalyticsRecorded)
    assert (told.name, told.source, told.subject, told.properties) == tuple(CLICK.values())
    assert told.operator is None
    await feed(analytics, counting_handlers(), [told])
    clock.move(seconds=1)
    assert (await live(analytics))["today"]["event:search_submitted"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Search"},
        {"name": ""},
        {"subject": "17"},
        {"subject": "user: 17"},
        {"properties": {"k": "v" * 201}},
        {"properties": {"k": "\x00"}},
        {"user": 1},
    ],
)
async def test_nonsense_is_not_recorded(analytics: Counter, change: dict[str, Any]) -> None:
    answer = await analytics.call("POST", EVENTS, user=10, json={**CLICK, **change})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert analytics.told.events == []


async def test_what_is_recorded_again_with_its_key_is_one_event(analytics: Counter) -> None:
    key = {"Idempotency-Key": "k"}
    answers = [await analytics.call("POST", EVENTS, user=10, json=CLICK, headers=key) for _ in range(2)]
    (told,) = analytics.told.of(AnalyticsRecorded)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    other = await analytics.call("POST", EVENTS, user=10, json={**CLICK, "name": "other"}, headers=key)
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_conflict")
    assert analytics.told.of(AnalyticsRecorded) == [told]


async def test_nobody_records_without_end(analytics: Counter) -> None:
    codes = [(await analytics.call("POST", EVENTS, user=10, json=CLICK)).status_code for _ in range(121)]
    assert codes == [202] * 120 + [429]


@pytest.fixture
def token(tokens: Tokens) -> str:
    """An admin's."""
    return tokens.of(ADMIN, admin=True)["Authorization"].removeprefix("Bearer ")


async def test_the_live_screen_shows_counters(analytics: Counter, token: str) -> None:
    def look() -> dict[str, Any]:
        with TestClient(analytics.app) as client, client.websocket_connect("/ws/live") as screen:
            screen.send_json({"token": token})
            shown: dict[str, Any] = screen.receive_json()
            return shown

    assert set((await asyncio.to_thread(look))["today"]) == set(NAMES)


async def test_the_live_screen_is_for_admins_who_say_so_first(analytics: Counter, tokens: Tokens) -> None:
    stranger = tokens.of(10)["Authorization"].removeprefix("Bearer ")
    hellos = (f'{{"token": "{stranger}"}}', '{"token": "x"}', '{"token": "\\ud800"}', '{"token": 1}', "{}", "[]")

    def codes(*hellos: str) -> set[int]:
        with TestClient(analytics.app) as client:
            return {told(client, hello) for hello in hellos}

    assert await asyncio.to_thread(codes, *hellos) == {1008}
    assert await asyncio.to_thread(codes, "hello", "", "[" * 60_000) == {1003}


async def test_the_live_screen_ends_for_a_client_that_says_more(analytics: Counter, token: str) -> None:
    def codes() -> list[int]:
        with TestClient(analytics.app) as client:
            return [told(client, json.dumps({"token": token}), more) for more in ("{}", "more", b"\x00")]

    assert await asyncio.to_thread(codes) == [1008, 1003, 1003]


def told(client: TestClient, *frames: str | bytes) -> int:
    """The code that a connection ends with whose client says this; counters that come before are passed over."""
    with client.websocket_connect("/ws/live") as screen:
        for frame in frames:
            screen.send({"type": "websocket.receive", "bytes" if isinstance(frame, bytes) else "text": frame})
        while (answer := screen.receive())["type"] != "websocket.close":
            pass
        return int(answer["code"])
