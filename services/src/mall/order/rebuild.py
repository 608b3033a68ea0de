"""The query side of orders, made anew from `order-events`. Orders and stock themselves are no read model and are left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Table, exists, literal, not_

from mall.exchange import exchange, same_key
from mall.order.app import create
from mall.order.tables import metadata
from mall.rebuilt import Change, History, Rebuilt
from mall.retelling import Model, rebuild_tables
from mall.shadow import Shadow
from mall_events.order import OrderCreated
from treaty_runtime.clock import utcnow

TABLES = ("order_view", "order_history")


async def _swap(shadow: Shadow, history: History) -> Sequence[Change]:
    is_cut = history.cut([OrderCreated.__topic__]) is not None

    def untold(live: Table, fresh: Table) -> ColumnElement[bool]:
        return not_(exists().where(same_key(live, fresh)).correlate(live)) if is_cut else literal(False)

    return [await exchange(shadow, name, stays=untold) for name in TABLES]


async def rebuild(env: Mapping[str, str], *, despite_failures: bool) -> Rebuilt:
    """Make the lists and histories of orders anew."""
    app, settings = create(env)
    model = Model(metadata=metadata, groups=["order-view"], tables=TABLES, swap=_swap)
    runtime = app.state.runtime
    try:
        return await rebuild_tables(
            model, runtime=runtime, settings=settings, despite_failures=despite_failures, now=utcnow
        )
    finally:
        await runtime.stop()
