"""Group `goods-service`: what the goods service does about events."""

from __future__ import annotations

from mall.goods import store
from mall.goods.changing import take
from mall.goods.domain import Changed, repicture, restock, retire
from mall.goods.image_files import ImageFiles
from mall.work import handling
from mall_events.goods import StockChanged
from mall_events.user import UserDeleted
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

OPERATOR = "system:goods"


def goods_handlers(files: ImageFiles) -> Handlers:
    """The handlers of the group; `files` are the pictures."""
    handlers = Handlers()
    on = handlers.on

    @on(StockChanged)
    async def follow_stock(event: StockChanged, context: Context) -> None:
        """Show what is left, and say so when the goods are sold out or back on sale."""
        row = await store.find_goods(context.session, event.goods_id, lock=True)
        if row is None:
            return
        outcome = restock(row.value(), available=event.available, stock_version=event.stock_version)
        if isinstance(outcome, Changed):
            await take(handling(context, now=event.event_time), row, outcome, operator=OPERATOR)
        else:
            row.take(outcome.goods, now=event.event_time)

    @on(UserDeleted)
    async def retire_seller(event: UserDeleted, context: Context) -> None:
        """Take the goods of a deleted user off the shelf, and their pictures away."""
        work = handling(context, now=event.event_time)
        for row in await store.goods_of(work.session, event.user_id):
            goods_id = row.id or 0
            names = list(await store.images_of(work.session, goods_id))
            for name in names:
                await store.remove_image(work.session, goods_id, name=name)
            # Files first: a rollback finds them gone and goes on; the other way round they would stay for ever.
            await files.remove(names)
            outcome = retire(row.value())
            if isinstance(outcome, Changed) or names:
                told = outcome if isinstance(outcome, Changed) else repicture(outcome.goods)
                await take(work, row, told, operator=OPERATOR)

    return handlers
