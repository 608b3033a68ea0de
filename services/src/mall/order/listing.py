"""Follows goods: the copy orders are placed from, and the stock that moves with what the seller offers."""

from __future__ import annotations

from mall.order import events, store
from mall.order.domain import relist
from mall.order.tables import ListingRow, StockRow
from mall.work import Work
from mall_events.goods import GoodsUpdated

OFFER = "listed_quantity"


async def follow(work: Work, *, goods: GoodsUpdated) -> bool:
    """Take the newer version of goods; answers False for one that is not newer."""
    # The stock row first: it is what placing an order locks, so price and stock change together for it.
    stock_row = (await store.lock_stock(work.session, [goods.goods_id])).get(goods.goods_id)
    listing = await work.session.get(ListingRow, goods.goods_id)
    if listing is not None and listing.version >= goods.goods_version:
        return False
    await work.session.merge(_row(goods))
    before = store.stock_of(stock_row) if stock_row else None
    after = relist(before, goods_id=goods.goods_id, listed=goods.listed_quantity)
    if after.beyond and OFFER in goods.changed:  # every later edit of something else says the same number again
        work.stage(events.offered_too_few(goods, beyond=after.beyond, now=work.now))
    if after == before:
        return True
    if stock_row is None:
        stock_row = StockRow(goods_id=after.goods_id, available=0, reserved=0, sold=0, listed=0, version=after.version)
        work.session.add(stock_row)
    stock_row.take(after)
    if before is None or after.version != before.version:
        work.stage(events.stock_changed(after, now=work.now, order_id=None, operator="system:order"))
    return True


def _row(goods: GoodsUpdated) -> ListingRow:
    return ListingRow(
        goods_id=goods.goods_id,
        seller_id=goods.seller_id,
        title=goods.title,
        price=goods.price,
        currency=goods.currency,
        status=goods.status.name,
        version=goods.goods_version,
    )
