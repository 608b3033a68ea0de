"""Group `order-service`: what the order service does about events."""

from __future__ import annotations

from mall.order import listing, store
from mall.order.domain import Ignored, Trigger
from mall.order.timeout import timeout_job
from mall.order.transition import Step, carry_out
from mall.work import handling
from mall_events.goods import GoodsUpdated
from mall_events.order import OrderTimedOut
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

handlers = Handlers()
on = handlers.on


@on(GoodsUpdated)
async def follow_goods(event: GoodsUpdated, context: Context) -> None:
    """Keep the copy that orders are placed from, and open or move the stock."""
    await listing.follow(handling(context, now=event.event_time), goods=event)


@on(OrderTimedOut)
async def cancel_unpaid(event: OrderTimedOut, context: Context) -> None:
    """Cancel the order unless it was paid meanwhile; a live payment hold moves its deadline."""
    work = handling(context, now=event.event_time)
    row = await store.find_order(work.session, event.order_id, lock=True)
    if row is None:
        return
    outcome = await carry_out(work, row=row, step=Step(trigger=Trigger.TIMED_OUT, operator="system:order"))
    if isinstance(outcome, Ignored) and outcome.until:
        row.pay_before, row.timeout_staged_at = outcome.until, None
        work.schedule(timeout_job(event.order_id, due=outcome.until), replace=True)
