"""Every query of the search service; sessions are passed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Subquery, and_, delete, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.search.domain import SESSION_LENGTH
from mall.search.tables import CoViewRow, SearchGoodsRow, SearchTermRow
from mall.upsert import insert

SESSIONS_LOOKED_AT = 1_000
"""The latest sessions that a recommendation counts: what much-viewed goods cost stays bounded."""
VIEWS_KEPT = timedelta(days=7)
"""As long as the topic keeps them, so that an index made anew recommends the same."""
Place = tuple[int, int]
"""Score and id of goods: where a page ended."""
Found = tuple[SearchGoodsRow, int]
"""Goods and their score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for; `terms` must all be there, an empty list finds everything."""

    terms: Sequence[str]
    category_key: str | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None


async def replace_terms(session: AsyncSession, goods_id: int, terms: Mapping[str, int]) -> None:
    """Let goods be found by these terms and no others."""
    await session.execute(delete(SearchTermRow).where(col(SearchTermRow.goods_id) == goods_id))
    if terms:
        rows = [{"term": term, "goods_id": goods_id, "weight": weight} for term, weight in terms.items()]
        await session.execute(insert(session, SearchTermRow), rows)


async def find(session: AsyncSession, question: Question, *, after: Place | None, size: int) -> Sequence[Found]:
    """Up to `size + 1` goods for sale with their scores, best first, newer goods before older ones that score the same."""
    score, condition = _scored(question)
    query = select(SearchGoodsRow, score).where(col(SearchGoodsRow.is_for_sale), *condition, *_filters(question))
    if after is not None:
        best, last_id = after
        query = query.where(or_(score < best, and_(score == best, col(SearchGoodsRow.goods_id) < last_id)))
    query = query.order_by(score.desc(), col(SearchGoodsRow.goods_id).desc()).limit(size + 1)
    return [(row, int(points)) for row, points in await session.execute(query)]


async def view(session: AsyncSession, *, session_id: str, goods_id: int, viewed_at: datetime) -> None:
    """Remember a look, and forget those of the session beyond its last 20 goods.

    What remains does not depend on the order in which looks arrive.
    """
    own = col(CoViewRow.session_id) == session_id
    # Looks of one session come from several partitions at once; each waits for the other before it forgets.
    await session.execute(
        select(col(CoViewRow.goods_id)).where(own).order_by(col(CoViewRow.goods_id)).with_for_update()
    )
    added = insert(session, CoViewRow).values(session_id=session_id, goods_id=goods_id, viewed_at=viewed_at)
    await session.execute(
        added.on_conflict_do_update(
            index_elements=["session_id", "goods_id"],
            set_={"viewed_at": added.excluded.viewed_at},
            where=col(CoViewRow.viewed_at) < added.excluded.viewed_at,
        )
    )
    newest = col(CoViewRow.viewed_at).desc(), col(CoViewRow.goods_id).desc()
    kept = select(col(CoViewRow.goods_id)).where(own).order_by(*newest).limit(SESSION_LENGTH)
    await session.execute(delete(CoViewRow).where(own, col(CoViewRow.goods_id).not_in(kept)))


async def seen_together(session: AsyncSession, goods_id: int, *, limit: int) -> Sequence[Found]:
    """Other goods for sale, and in how many of the latest sessions with these goods each was looked at, most first."""
    newest = col(CoViewRow.viewed_at).desc()
    about = col(CoViewRow.goods_id) == goods_id
    latest = select(col(CoViewRow.session_id)).where(about).order_by(newest).limit(SESSIONS_LOOKED_AT).subquery()
    others = (
        select(col(CoViewRow.goods_id), func.count().label("score"))
        .join(latest, col(CoViewRow.session_id) == latest.c.session_id)
        .where(col(CoViewRow.goods_id) != goods_id)
        .group_by(col(CoViewRow.goods_id))
        .subquery()
    )
    query = (
        select(SearchGoodsRow, others.c.score)
        .join(others, col(SearchGoodsRow.goods_id) == others.c.goods_id)
        .where(col(SearchGoodsRow.is_for_sale))
        .order_by(others.c.score.desc(), col(SearchGoodsRow.goods_id).desc())
        .limit(limit)
    )
    return [(row, int(score)) for row, score in await session.execute(query)]


async def forget_views(session: AsyncSession, *, now: datetime) -> int:
    """Delete looks older than the topic keeps them; returns how many."""
    gone = await session.execute(
        delete(CoViewRow).where(col(CoViewRow.viewed_at) < now - VIEWS_KEPT).returning(col(CoViewRow.goods_id))
    )
    return len(gone.all())


def _scored(question: Question) -> tuple[ColumnElement[int], list[ColumnElement[bool]]]:
    if not question.terms:
        return literal(0), []
    hits = _hits(question.terms)
    return hits.c.score, [hits.c.goods_id == col(SearchGoodsRow.goods_id)]


def _hits(terms: Sequence[str]) -> Subquery:
    return (
        select(col(SearchTermRow.goods_id), func.sum(col(SearchTermRow.weight)).label("score"))
        .where(col(SearchTermRow.term).in_(terms))
        .group_by(col(SearchTermRow.goods_id))
        .having(func.count() == len(terms))
        .subquery()
    )


def _filters(question: Question) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if question.category_key is not None:
        filters.append(col(SearchGoodsRow.category_key) == question.category_key)
    if question.min_price is not None:
        filters.append(col(SearchGoodsRow.price) >= question.min_price)
    if question.max_price is not None:
        filters.append(col(SearchGoodsRow.price) <= question.max_price)
    return filters
