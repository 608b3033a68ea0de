"""A check outside the lock: the stock that an order is decided on may be another order's by then."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.order import store
from mall.order.tables import StockRow
from tests.mutants.designs.mutant import Mutant, Swap


async def _look_at_stock(session: AsyncSession, goods_ids: Collection[int]) -> dict[int, StockRow]:
    rows = await session.scalars(select(StockRow).where(col(StockRow.goods_id).in_(goods_ids)))
    return {row.goods_id: row for row in rows}


MUTANT = Mutant(
    wrong="The order service reads stock without its lock and decides on that, so the last piece is sold twice.",
    swaps=(Swap(store, "lock_stock", _look_at_stock),),
    tests=("tests/mall/order/test_api.py::test_many_buyers_at_once_never_get_more_than_there_is[postgres]",),
)
