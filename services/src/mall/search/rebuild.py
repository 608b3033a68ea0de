"""The index and what was looked at together, made anew from `goods-events`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Table, and_, exists, literal, not_

from mall.exchange import exchange, same_key
from mall.rebuilt import Change, History, Rebuilt
from mall.retelling import Model, rebuild_tables
from mall.search import store
from mall.search.app import create
from mall.search.tables import metadata
from mall.shadow import Shadow
from mall_events.goods import GoodsUpdated
from treaty_runtime.clock import utcnow

TABLES = ("search_goods", "search_term", "co_view")


async def _forget_views(shadow: Shadow) -> None:
    """The broker keeps whole segments, so it may tell of looks that the service has forgotten."""
    async with shadow.sessions.begin() as session:
        await store.forget_views(session, now=utcnow())


async def _swap(shadow: Shadow, history: History) -> Sequence[Change]:
    cut_at = history.cut([GoodsUpdated.__topic__])
    goods = shadow.tables["search_goods"]

    def untold(live: Table, _fresh: Table) -> ColumnElement[bool]:
        told = exists().where(goods.c.goods_id == live.c.goods_id).correlate(live)
        return literal(False) if cut_at is None else not_(told)

    def too_old(live: Table, fresh: Table) -> ColumnElement[bool]:
        told = exists().where(same_key(live, fresh)).correlate(live)
        return literal(False) if cut_at is None else and_(not_(told), live.c.viewed_at < cut_at)

    return [
        await exchange(shadow, "search_goods", stays=untold),
        await exchange(shadow, "search_term", stays=untold),
        await exchange(shadow, "co_view", stays=too_old),
    ]


async def rebuild(env: Mapping[str, str], *, despite_failures: bool) -> Rebuilt:
    """Make the index anew."""
    app, settings = create(env)
    model = Model(metadata=metadata, groups=["search-service"], tables=TABLES, swap=_swap, prepare=_forget_views)
    runtime = app.state.runtime
    try:
        return await rebuild_tables(
            model, runtime=runtime, settings=settings, despite_failures=despite_failures, now=utcnow
        )
    finally:
        await runtime.stop()
