"""Search and recommendations over HTTP; nobody needs a token to look around."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query

from mall import cursors
from mall.requests import Text
from mall.search import store
from mall.search.answers import FoundPage, Recommendations, found_goods, found_page
from mall.search.domain import asked, plain
from mall.web import AtDesk, PageSize, PathId

routes = APIRouter(prefix="/api/v1")
Price = Annotated[Decimal | None, Query(ge=0, le=Decimal("9999999999.99"), decimal_places=2)]
RECOMMENDED = 10


@routes.get("/search")
async def search(
    *,
    desk: AtDesk,
    q: Annotated[Text | None, Query(max_length=200)] = None,
    category: Annotated[Text | None, Query(max_length=200)] = None,
    min_price: Price = None,
    max_price: Price = None,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: PageSize = cursors.PAGE,
) -> FoundPage:
    """Goods that have every word of `q`, the best first: the title counts 3, the category 2, the description 1. Without `q`, the newest."""
    terms = asked(q) if q else []
    if q and not terms:
        return FoundPage(goods=[], next_cursor=None)
    question = store.Question(
        terms=terms, category_key=plain(category) if category else None, min_price=min_price, max_price=max_price
    )
    async with desk.look() as session:
        found = await store.find(session, question, after=_after(cursor), size=limit)
    return found_page(found, size=limit)


@routes.get("/recommendations/{goods_id}")
async def recommendations(goods_id: PathId, desk: AtDesk, limit: PageSize = RECOMMENDED) -> Recommendations:
    """Goods that were looked at in the same sessions as these, most often first."""
    async with desk.look() as session:
        return Recommendations(goods=found_goods(await store.seen_together(session, goods_id, limit=limit)))


def _after(cursor: str | None) -> store.Place | None:
    numbers = cursors.decode_all(cursor, count=2)
    return None if numbers is None else (numbers[0], numbers[1])
