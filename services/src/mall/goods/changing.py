"""Writes a decision about goods and tells it, with all that the goods are now."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from mall.errors import Forbidden, NotFound
from mall.goods import events, store
from mall.goods.domain import VISIBLE, Changed
from mall.goods.tables import GoodsRow
from mall.identity import Identity
from mall.work import Work
from mall_events.goods import GoodsStatus


async def take(work: Work, row: GoodsRow, outcome: Changed, *, operator: str, note: str | None = None) -> None:
    """Write the goods after a change, and stage GoodsUpdated."""
    row.take(outcome.goods, now=work.now)
    images = await store.images_of(work.session, outcome.goods.goods_id)
    told = events.updated(
        outcome.goods, images=images, changed=outcome.fields, now=work.now, operator=operator, note=note
    )
    work.stage(told)


async def own_goods(session: AsyncSession, goods_id: int, who: Identity) -> GoodsRow:
    """The caller's own goods, locked; raises NotFound for what the caller may not see, Forbidden for another's."""
    row = await store.find_goods(session, goods_id, lock=True)
    if row is None or not may_see(row, who):
        raise NotFound
    if row.seller_id != who.user_id:
        raise Forbidden("Only the seller does that.")
    return row


def may_see(row: GoodsRow, who: Identity | None) -> bool:
    """Whether the goods are there for this person: approved once, one's own, or an admin's to judge."""
    if GoodsStatus[row.status] in VISIBLE:
        return True
    return who is not None and (who.is_admin or who.user_id == row.seller_id)
