"""What somebody looks for is data: no pattern, no wildcard, no statement, no code; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from mall.audit.api import routes as audit_routes
from mall.audit.handlers import audit_handlers
from mall.audit.tables import metadata as audit_tables
from mall.goods.api import routes as goods_routes
from mall.goods.tables import GoodsRow
from mall.goods.tables import metadata as goods_tables
from mall.search.api import routes as search_routes
from mall.search.handlers import handlers as search_handlers
from mall.search.tables import metadata as search_tables
from mall_events.audit import AuditLogged, AuditOutcome
from mall_events.goods import GoodsStatus, GoodsUpdated
from tests.mall.counter import Clock, Counter, Tokens, opened

ADMIN, SELLER = 1, 20
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BAIT = "a" * 60 + "!"
"""What a pattern with nested repetitions would try for ages."""
HOSTILE = (
    "(a+)+$", "^(a|aa)+$", ".*", "[a-z]+", "*", "a*", "?", "%", "_", "a%", "%'", "\\", "\\%", "' OR 1=1 --", '") OR ("a"="a',
    "a' UNION SELECT 1 --", "__import__('os').abort()", "lambda: 1", "{{7*7}}", "${7*7}", "a AND NOT b", '"a" NEAR "b"', "title:a", "a:*",
)  # fmt: skip
TEXTS = (BAIT, *HOSTILE)

Behind = Callable[..., AbstractAsyncContextManager[Counter]]


@pytest.fixture
def behind(database_url: str, clock: Clock, tokens: Tokens) -> Behind:
    """Opens a service on a database of the test's own."""
    return partial(opened, url=database_url, clock=clock, tokens=tokens)


async def found(counter: Counter, path: str, members: str, **query: str) -> list[dict[str, Any]]:
    answer = await counter.call("GET", path, user=ADMIN, admin=True, params={**query, "limit": "100"})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()[members]
    return rows


async def test_a_title_is_looked_for_letter_by_letter(behind: Behind) -> None:
    async with behind("goods", metadata=goods_tables, routers=[goods_routes]) as shelf:
        async with shelf.database.sessions.begin() as session:
            session.add_all(row(text) for text in TEXTS)
        for text in TEXTS:
            titles = [goods["title"] for goods in await found(shelf, "/api/v1/goods", "goods", title=text)]
            assert sorted(titles) == sorted(each for each in TEXTS if text.lower() in each.lower()), text
            categories = [goods["title"] for goods in await found(shelf, "/api/v1/goods", "goods", category=text)]
            assert categories == [text]


async def test_words_are_looked_for_and_everything_else_in_a_question_says_nothing(behind: Behind) -> None:
    async with behind("search", metadata=search_tables, routers=[search_routes]) as search:
        for number, text in enumerate(TEXTS, start=1):
            await search.handle(search_handlers, updated(number, text))
        for number, text in enumerate(TEXTS, start=1):
            titles = [goods["title"] for goods in await found(search, "/api/v1/search", "goods", q=text)]
            has_words = any(letter.isalnum() for letter in text)
            assert (text in titles) == has_words, text
            assert BAIT not in titles or text == BAIT, text
            categories = await found(search, "/api/v1/search", "goods", category=text)
            assert [goods["goods_id"] for goods in categories] == [number]


async def test_the_words_of_the_audit_are_compared_whole(behind: Behind) -> None:
    async with behind("audit", metadata=audit_tables, routers=[audit_routes]) as archive:
        for text in TEXTS:
            await archive.handle(audit_handlers(now=archive.desk.now), logged(text))
        for text in TEXTS:
            for member in ("actor", "action", "resource", "resource_id", "source"):
                entries = await found(archive, "/api/v1/audit", "entries", **{member: text})
                assert [entry["actor"] for entry in entries] == [text]


def row(text: str) -> GoodsRow:
    return GoodsRow(
        seller_id=SELLER, title=text, description="", category=text, price=Decimal("3.50"), currency="CNY",
        status=GoodsStatus.ON_SALE.name, listed_quantity=1, created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def updated(number: int, text: str) -> GoodsUpdated:
    return GoodsUpdated(
        goods_id=number, goods_version=1, seller_id=SELLER, title=text, description="", category=text,
        price=Decimal("3.50"), status=GoodsStatus.ON_SALE, listed_quantity=1, event_time=NOW,
    )  # fmt: skip


def logged(text: str) -> AuditLogged:
    return AuditLogged(
        actor=text, action=text, resource=text, resource_id=text, source=text, outcome=AuditOutcome.OK, detail={}, event_time=NOW
    )  # fmt: skip
