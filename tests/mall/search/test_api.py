"""Search over HTTP, on both databases."""

from __future__ import annotations

import random
from collections import Counter as Count
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mall.search import store
from mall.search.handlers import handlers
from mall_events.goods import GoodsStatus, GoodsUpdated, GoodsViewed, ViewSource
from tests.mall.counter import Counter

SEARCH = "/api/v1/search"


async def goods(search: Counter, goods_id: int, title: str = "Lamp", **fields: Any) -> None:
    values: dict[str, Any] = {
        "goods_version": 1,
        "seller_id": 20,
        "description": "",
        "category": "home",
        "price": Decimal("3.50"),
        "status": GoodsStatus.ON_SALE,
        "listed_quantity": 1,
        "event_time": search.desk.now(),
    }
    await search.handle(handlers, GoodsUpdated(goods_id=goods_id, title=title, **{**values, **fields}))


async def look(search: Counter, session: str, goods_id: int, *, second: int = 0) -> None:
    await search.handle(
        handlers,
        GoodsViewed(
            goods_id=goods_id,
            session_id=session,
            source=ViewSource.SEARCH,
            event_time=search.desk.now() + timedelta(seconds=second),
        ),
    )


async def ids(search: Counter, query: str) -> list[int]:
    answer = await search.call("GET", f"{SEARCH}?{query}")
    assert answer.status_code == 200, answer.text
    return [found["goods_id"] for found in answer.json()["goods"]]


async def recommended(search: Counter, goods_id: int) -> list[tuple[int, int]]:
    answer = await search.call("GET", f"/api/v1/recommendations/{goods_id}")
    return [(found["goods_id"], found["score"]) for found in answer.json()["goods"]]


async def test_goods_with_every_word_are_found_best_first(search: Counter) -> None:
    await goods(search, 1, "Desk lamp", description="for reading")
    await goods(search, 2, "Lamp", description="for a desk")
    await goods(search, 3, "Chair", category="desk")
    assert await ids(search, "q=lamp desk") == [1, 2]
    assert await ids(search, "q=LAMP") == [2, 1]
    assert await ids(search, "q=desk") == [1, 3, 2]
    assert await ids(search, "q=sofa") == []
    assert await ids(search, "q=!!") == []


async def test_chinese_goods_are_found_by_a_part_of_their_title(search: Counter) -> None:
    await goods(search, 1, "二手自行车")
    await goods(search, 2, "自行安装的车库")
    assert await ids(search, "q=自行车") == [1]
    assert await ids(search, "q=车") == [2, 1]


async def test_without_words_the_newest_come_first_and_filters_hold(search: Counter) -> None:
    await goods(search, 1, price=Decimal("10.00"))
    await goods(search, 2, price=Decimal("20.00"), category="Books")
    await goods(search, 3, price=Decimal("30.00"), category="books")
    assert await ids(search, "") == [3, 2, 1]
    assert await ids(search, "category=BOOKS") == [3, 2]
    assert await ids(search, "min_price=10.01&max_price=20") == [2]
    for wrong in ("min_price=-1", "max_price=1.234", "min_price=NaN", "cursor=MQ", "cursor=%00", "limit=0", "q=%00"):
        assert (await search.call("GET", f"{SEARCH}?{wrong}")).status_code == 422, wrong


async def test_pages_give_all_goods_once(search: Counter) -> None:
    for number in range(1, 8):
        await goods(search, number, "Lamp lamp" if number % 2 else "Chair", description="lamp")
    seen: list[int] = []
    query = f"{SEARCH}?q=lamp&limit=3"
    while query:
        page = (await search.call("GET", query)).json()
        seen += [found["goods_id"] for found in page["goods"]]
        query = f"{SEARCH}?q=lamp&limit=3&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert seen == [7, 5, 3, 1, 6, 4, 2]


async def test_goods_that_left_the_shelf_are_gone_and_older_events_do_not_bring_them_back(search: Counter) -> None:
    await goods(search, 1, goods_version=2)
    await goods(search, 1, "Chair", goods_version=3, status=GoodsStatus.SOLD_OUT)
    assert (await ids(search, "q=lamp"), await ids(search, "q=chair")) == ([], [1])
    await goods(search, 1, goods_version=5, status=GoodsStatus.OFF_SHELF)
    await goods(search, 1, goods_version=4)
    assert await ids(search, "") == []


async def test_goods_looked_at_in_the_same_sessions_are_recommended(search: Counter) -> None:
    for goods_id in (1, 2, 3):
        await goods(search, goods_id)
    await goods(search, 4, status=GoodsStatus.OFF_SHELF)
    for session, seen in {"a": (1, 2, 4), "b": (1, 2, 3, 1), "c": (3,)}.items():
        for goods_id in seen:
            await look(search, session, goods_id)
    assert await recommended(search, 1) == [(2, 2), (3, 1)]
    assert await recommended(search, 9) == []


async def test_recommendations_are_a_recount_in_whatever_order_looks_arrive(search: Counter) -> None:
    """Of a session its last 20 goods count, by when they were looked at."""
    draw = random.Random(7)
    looks = [("long", draw.randrange(1, 40), second) for second in range(120)]
    looks += [(f"s{number % 5}", draw.randrange(1, 9), number) for number in range(60)]
    for goods_id in range(1, 41):
        await goods(search, goods_id)
    for session, goods_id, second in draw.sample(looks, len(looks)):
        await look(search, session, goods_id, second=second)
    last: dict[str, dict[int, int]] = {}
    for session, goods_id, second in sorted(looks, key=lambda look: look[2]):
        last.setdefault(session, {})[goods_id] = second
    kept = {
        session: {goods_id for _, goods_id in sorted(((s, g) for g, s in seen.items()), reverse=True)[:20]}
        for session, seen in last.items()
    }
    counted = Count(other for seen in kept.values() if 3 in seen for other in seen - {3})
    expected = sorted(counted.items(), key=lambda pair: (-pair[1], -pair[0]))[:10]
    assert await recommended(search, 3) == expected


async def test_old_looks_are_forgotten(search: Counter) -> None:
    await look(search, "a", 1)
    await look(search, "a", 2, second=60)
    async with search.desk.open() as work:
        now = work.now + store.VIEWS_KEPT + timedelta(seconds=30)
        assert await store.forget_views(work.session, now=now) == 1
