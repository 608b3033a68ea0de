"""The payment service's three groups: the gateway, the channel's adapter, the accountants."""

from __future__ import annotations

from datetime import timedelta

from mall.payment import payable, settling
from mall.payment.charging import charge
from mall.payment.till import Till
from mall.payment.undoing import undo
from mall.work import handling
from mall_events.accounting import AccountingSettlementCompleted
from mall_events.order import MerchantOrderCancelled, MerchantOrderCompleted, OrderCreated, OrderStatusChanged
from mall_events.payment import PaymentRefundSucceeded, PaymentSucceeded
from mall_events.saga import PaymentSagaCompensationRequested, PaymentSagaStarted
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

CHANNEL_TIMEOUT = timedelta(seconds=20)


def gateway_handlers(till: Till) -> Handlers:
    """Group `payment-gateway-group`: knows what may be paid, undoes what must not stand."""
    handlers = Handlers()
    on = handlers.on

    @on(OrderCreated)
    async def open_order(event: OrderCreated, context: Context) -> None:
        await payable.take_order(handling(context, now=event.event_time), order=event)

    @on(OrderStatusChanged)
    async def follow_order(event: OrderStatusChanged, context: Context) -> None:
        await payable.take_status(handling(context, now=event.event_time), change=event)

    # Without an inbox: it asks the channel between two transactions, and the payment's row knows what was done.
    @on(PaymentSagaCompensationRequested, external=True, inbox=False, timeout=CHANNEL_TIMEOUT)
    async def undo_payment(event: PaymentSagaCompensationRequested, context: Context) -> None:
        await undo(till, context, request=event)

    return handlers


def channel_handlers(till: Till) -> Handlers:
    """Group `channel-adapter`: has the channel take the money."""
    handlers = Handlers()

    @handlers.on(PaymentSagaStarted, external=True, inbox=False, timeout=CHANNEL_TIMEOUT)
    async def charge_payment(event: PaymentSagaStarted, context: Context) -> None:
        await charge(till, context, saga=event)

    return handlers


def accounting_handlers(*, fee_bps: int) -> Handlers:
    """Group `accounting`: what merchants are to get, and when they get it."""
    handlers = Handlers()
    on = handlers.on

    @on(PaymentSucceeded)
    async def expect_settlement(event: PaymentSucceeded, context: Context) -> None:
        await settling.open_receivable(handling(context, now=event.event_time), event.payment_id)

    @on(PaymentRefundSucceeded)
    async def forget_settlement(event: PaymentRefundSucceeded, context: Context) -> None:
        await settling.close_receivable(handling(context, now=event.event_time), event.payment_id)

    @on(MerchantOrderCancelled)
    async def forget_order(event: MerchantOrderCancelled, context: Context) -> None:
        await settling.close_receivables_of_order(handling(context, now=event.event_time), event.order_id)

    @on(MerchantOrderCompleted)
    async def settle_order(event: MerchantOrderCompleted, context: Context) -> None:
        await settling.settle(handling(context, now=event.event_time), event.payment_id, fee_bps=fee_bps)

    @on(AccountingSettlementCompleted)
    async def close_settlement(event: AccountingSettlementCompleted, context: Context) -> None:
        await settling.complete(handling(context, now=event.event_time), event.payment_id)

    return handlers
