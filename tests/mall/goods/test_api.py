"""Goods over HTTP, on both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mall.goods.handlers import goods_handlers
from mall_events.goods import GoodsStatus, GoodsUpdated, GoodsViewed, StockChanged, ViewSource
from tests.mall.counter import Clock, Counter

SELLER, BUYER, ADMIN = 20, 10, 1
GOODS = "/api/v1/goods"
LAMP = {"title": "Lamp", "description": "Warm light", "category": "home", "price": "3.50", "listed_quantity": 5}


async def draft(shelf: Counter, **changes: Any) -> str:
    answer = await shelf.call("POST", GOODS, user=SELLER, json={**LAMP, **changes})
    assert answer.status_code == 201, answer.text
    return f"{GOODS}/{answer.json()['goods_id']}"


async def on_sale(shelf: Counter, **changes: Any) -> str:
    path = await draft(shelf, **changes)
    await shelf.call("POST", f"{path}/submit", user=SELLER)
    answer = await shelf.call("POST", f"{path}/approve", user=ADMIN, admin=True)
    assert answer.json()["status"] == "ON_SALE", answer.text
    return path


async def test_a_draft_is_told_and_only_its_seller_and_admins_see_it(shelf: Counter) -> None:
    path = await draft(shelf)
    (updated,) = shelf.told.of(GoodsUpdated)
    assert (updated.goods_version, updated.status, updated.price) == (1, GoodsStatus.DRAFT, Decimal("3.50"))
    assert (await shelf.call("GET", path)).status_code == 404
    assert (await shelf.call("GET", path, user=BUYER)).status_code == 404
    assert (await shelf.call("GET", path, user=SELLER)).json()["title"] == "Lamp"
    assert (await shelf.call("GET", path, user=ADMIN, admin=True)).status_code == 200
    assert shelf.told.of(GoodsViewed) == []


async def test_goods_go_on_sale_by_review_and_each_step_is_told(shelf: Counter) -> None:
    path = await draft(shelf)
    for action, user, is_admin in (
        ("submit", SELLER, False),
        ("reject", ADMIN, True),
        ("submit", SELLER, False),
        ("approve", ADMIN, True),
        ("unshelve", SELLER, False),
        ("shelve", SELLER, False),
    ):
        answer = await shelf.call("POST", f"{path}/{action}", user=user, admin=is_admin, json={"note": action})
        assert answer.status_code == 200, answer.text
    told = shelf.told.of(GoodsUpdated)
    assert [event.status.name for event in told] == [
        "DRAFT",
        "PENDING_REVIEW",
        "REJECTED",
        "PENDING_REVIEW",
        "ON_SALE",
        "OFF_SHELF",
        "ON_SALE",
    ]
    assert [event.goods_version for event in told] == list(range(1, 8))
    assert (told[2].note, told[2].operator, told[2].changed) == ("reject", f"admin:{ADMIN}", ["status"])


async def test_only_admins_review_and_only_the_seller_sells(shelf: Counter) -> None:
    path = await draft(shelf)
    assert (await shelf.call("POST", f"{path}/approve", user=SELLER)).status_code == 403
    assert (await shelf.call("POST", f"{path}/submit", user=BUYER)).status_code == 404
    assert (await shelf.call("POST", f"{path}/shelve", user=SELLER)).json()["error"] == "illegal_transition"


async def test_an_edit_needs_the_version_it_was_made_from(shelf: Counter) -> None:
    path = await draft(shelf)
    edit = {"price": "4.00"}
    assert (await shelf.call("PATCH", path, user=SELLER, json=edit)).status_code == 428
    stale = await shelf.call("PATCH", path, user=SELLER, json=edit, headers={"If-Match": '"9"'})
    assert (stale.status_code, stale.json()["version"]) == (412, 1)
    fresh = await shelf.call("PATCH", path, user=SELLER, json=edit, headers={"If-Match": '"1"'})
    assert (fresh.status_code, fresh.json()["version"], fresh.headers["ETag"]) == (200, 2, '"2"')
    assert shelf.told.of(GoodsUpdated)[-1].changed == ["price"]
    same = await shelf.call("PATCH", path, user=SELLER, json=edit, headers={"If-Match": "2"})
    assert same.json()["version"] == 2
    assert len(shelf.told.of(GoodsUpdated)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": "-1"},
        {"price": "1.234"},
        {"price": "NaN"},
        {"price": "10000000000.00"},
        {"title": ""},
        {"title": "a\x00b"},
        {"listed_quantity": 0},
        {"seller_id": 5},
        {"currency": "yuan"},
    ],
)
async def test_goods_that_cannot_be_are_refused(shelf: Counter, wrong: dict[str, Any]) -> None:
    answer = await shelf.call("POST", GOODS, user=SELLER, json={**LAMP, **wrong})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert next(iter(wrong)) in answer.json()["message"]


async def test_a_look_counts_once_per_session_in_thirty_seconds(shelf: Counter, clock: Clock) -> None:
    path = await on_sale(shelf)
    session = {"X-Session-Id": "s-1"}
    for _ in range(3):
        await shelf.call("GET", f"{path}?source=SEARCH", headers=session)
    clock.move(seconds=29)
    await shelf.call("GET", path, headers=session)
    assert len(shelf.told.of(GoodsViewed)) == 1
    clock.move(seconds=1)
    await shelf.call("GET", path, headers=session)
    await shelf.call("GET", path, headers={"X-Session-Id": "s-2"})
    await shelf.call("GET", path, user=BUYER)
    await shelf.call("GET", path)
    views = shelf.told.of(GoodsViewed)
    assert [(view.session_id, view.viewer_id) for view in views] == [
        ("s-1", None),
        ("s-1", None),
        ("s-2", None),
        (f"user:{BUYER}", BUYER),
    ]
    assert views[0].source is ViewSource.SEARCH


async def test_the_newest_stock_sells_goods_out_and_brings_them_back(shelf: Counter, clock: Clock) -> None:
    path = await on_sale(shelf)
    goods_id = int(path.rpartition("/")[2])

    async def stock(available: int, version: int) -> None:
        event = StockChanged(goods_id=goods_id, available=available, stock_version=version, event_time=clock())
        await shelf.handle(goods_handlers(shelf.app.state.image_files), event)

    for available, version, status, left in (
        (5, 1, "ON_SALE", 5),
        (0, 3, "SOLD_OUT", 0),
        (2, 2, "SOLD_OUT", 0),
        (1, 4, "ON_SALE", 1),
    ):
        await stock(available, version)
        answer = (await shelf.call("GET", path)).json()
        assert (answer["status"], answer["available"]) == (status, left)
    assert [event.status.name for event in shelf.told.of(GoodsUpdated)][3:] == ["SOLD_OUT", "ON_SALE"]


async def test_the_list_shows_what_is_for_sale_and_one_s_own_drafts(shelf: Counter) -> None:
    lamp, bike = await on_sale(shelf), await on_sale(shelf, title="Bike 100%", category="sport")
    await draft(shelf, title="Secret")

    async def titles(query: str, user: int | None = None) -> list[str]:
        answer = await shelf.call("GET", f"{GOODS}?{query}", user=user)
        assert answer.status_code == 200, answer.text
        return [goods["title"] for goods in answer.json()["goods"]]

    assert lamp != bike
    assert await titles("") == ["Bike 100%", "Lamp"]
    assert await titles("category=sport") == ["Bike 100%"]
    assert await titles("title=lam") == ["Lamp"]
    assert await titles("title=%25") == ["Bike 100%"]
    assert await titles(f"seller_id={BUYER}") == []
    assert await titles("mine=true", SELLER) == ["Secret", "Bike 100%", "Lamp"]
    assert await titles("mine=true", BUYER) == []
    assert (await shelf.call("GET", f"{GOODS}?mine=true")).status_code == 422


async def test_the_same_key_makes_one_draft(shelf: Counter) -> None:
    headers = {"Idempotency-Key": "k"}
    answers = [await shelf.call("POST", GOODS, user=SELLER, json=LAMP, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(shelf.told.of(GoodsUpdated)) == 1
