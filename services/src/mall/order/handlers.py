"""Group `order-service`: what the order service does about events."""

from __future__ import annotations

from mall.order import listing, paying, store
from mall.order.domain import Ignored, Trigger
from mall.order.timeout import timeout_job
from mall.order.transition import Step, carry_out
from mall.work import handling
from mall_events.goods import GoodsUpdated
from mall_events.order import OrderTimedOut
from mall_events.payment import PaymentFailed, PaymentRefundSucceeded, PaymentSucceeded
from mall_events.saga import PaymentSagaStarted
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


@on(PaymentSagaStarted)
async def hold_order(event: PaymentSagaStarted, context: Context) -> None:
    """Keep the order for the payment until its deadline; what cannot be paid is compensated."""
    await paying.hold_for(handling(context, now=event.event_time), saga=event)


@on(PaymentSucceeded)
async def take_payment(event: PaymentSucceeded, context: Context) -> None:
    """Mark the order as paid; money that it has no use for goes back."""
    await paying.take_payment(handling(context, now=event.event_time), payment=event)


@on(PaymentFailed)
async def release_order(event: PaymentFailed, context: Context) -> None:
    """Free the order for another payment."""
    await paying.let_go(handling(context, now=event.event_time), payment=event)


@on(PaymentRefundSucceeded)
async def take_back(event: PaymentRefundSucceeded, context: Context) -> None:
    """Mark the order as refunded and put its goods back on sale."""
    await paying.take_back(handling(context, now=event.event_time), refund=event)
