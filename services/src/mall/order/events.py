"""What the order service tells: pure functions from decisions to events, in the order they are staged."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from mall.columns import to_minor
from mall.order.domain import Advanced, Order, Stock, order_no
from mall_events.audit import AuditLogged, AuditOutcome
from mall_events.goods import GoodsUpdated, StockChanged
from mall_events.order import (
    CancelReason,
    MerchantOrderCancelled,
    MerchantOrderCompleted,
    MerchantOrderCreated,
    MerchantOrderUpdated,
    OrderCancelled,
    OrderCreated,
    OrderPaid,
    OrderStatus,
    OrderStatusChanged,
    OrderTimedOut,
)
from mall_events.saga import CompensationStep, PaymentSagaCompensationRequested

ToldMerchant = MerchantOrderUpdated | MerchantOrderCancelled | MerchantOrderCompleted
Told = OrderCancelled | OrderPaid | OrderStatusChanged | ToldMerchant


def placed(
    order: Order, *, now: datetime, shipping_address: str | None, note: str | None, operator: str
) -> OrderCreated:
    """The event of a new order."""
    return OrderCreated(
        order_id=order.order_id,
        order_no=order_no(order.order_id, placed_at=now),
        buyer_id=order.buyer_id,
        seller_id=order.seller_id,
        lines=list(order.lines),
        total=order.total,
        currency=order.currency,
        current_status=order.status,
        pay_before=order.pay_before,
        shipping_address=shipping_address,
        order_version=order.version,
        event_time=now,
        note=note,
        operator=operator,
    )


def placed_with_merchant(order: Order, *, now: datetime, operator: str) -> MerchantOrderCreated:
    """The same for the merchant's systems and ledgers: minor units, no lines, no address."""
    return MerchantOrderCreated(
        order_id=order.order_id,
        order_no=order_no(order.order_id, placed_at=now),
        merchant_id=order.seller_id,
        amount=to_minor(order.total),
        currency=order.currency,
        event_time=now,
        operator=operator,
    )


def advanced(step: Advanced, *, now: datetime, note: str | None, operator: str) -> list[Told]:
    """The events of one transition: the specific one people are told by, the change of status, the merchant's view."""
    order = step.order
    told: list[Told] = []
    if order.status is OrderStatus.PAID and order.payment_id:
        told.append(_paid(order, order.payment_id, now=now, note=note, operator=operator))
    if step.reason:
        told.append(_cancelled(order, step.reason, now=now, note=note, operator=operator))
    changed = OrderStatusChanged(
        order_id=order.order_id,
        buyer_id=order.buyer_id,
        seller_id=order.seller_id,
        previous_status=step.previous,
        current_status=order.status,
        order_version=order.version,
        event_time=now,
        note=note,
        operator=operator,
    )
    return [*told, changed, *_merchant(step, now=now, operator=operator)]


def _merchant(step: Advanced, *, now: datetime, operator: str) -> list[ToldMerchant]:
    order = step.order
    shared: dict[str, Any] = {
        "order_id": order.order_id,
        "merchant_id": order.seller_id,
        "amount": to_minor(order.total),
        "currency": order.currency,
        "event_time": now,
        "operator": operator,
    }
    if step.reason:
        return [MerchantOrderCancelled(**shared, reason=step.reason)]
    told: list[ToldMerchant] = [
        MerchantOrderUpdated(**shared, previous_status=step.previous, current_status=order.status)
    ]
    if order.status is OrderStatus.COMPLETED and order.payment_id:
        told.append(MerchantOrderCompleted(**shared, payment_id=order.payment_id))
    return told


def _paid(order: Order, payment_id: UUID, *, now: datetime, note: str | None, operator: str) -> OrderPaid:
    return OrderPaid(
        order_id=order.order_id,
        buyer_id=order.buyer_id,
        seller_id=order.seller_id,
        payment_id=payment_id,
        total=order.total,
        currency=order.currency,
        event_time=now,
        note=note,
        operator=operator,
    )


def _cancelled(order: Order, reason: CancelReason, *, now: datetime, note: str | None, operator: str) -> OrderCancelled:
    return OrderCancelled(
        order_id=order.order_id,
        buyer_id=order.buyer_id,
        seller_id=order.seller_id,
        reason=reason,
        lines=list(order.lines),
        event_time=now,
        note=note,
        operator=operator,
    )


def stock_changed(stock: Stock, *, now: datetime, order_id: int | None, operator: str) -> StockChanged:
    """The event of a change of what is available."""
    return StockChanged(
        goods_id=stock.goods_id,
        available=stock.available,
        stock_version=stock.version,
        order_id=order_id,
        event_time=now,
        operator=operator,
    )


def offered_too_few(goods: GoodsUpdated, *, beyond: int, now: datetime) -> AuditLogged:
    """A seller offers fewer pieces in all than people have ordered: none is left, and the orders stand."""
    return AuditLogged(
        actor=f"user:{goods.seller_id}",
        action="offer_too_few",
        resource="goods",
        resource_id=str(goods.goods_id),
        source="order",
        outcome=AuditOutcome.DENIED,
        detail={"offered": str(goods.listed_quantity), "ordered": str(goods.listed_quantity + beyond)},
        event_time=now,
        operator="system:order",
    )


def timed_out(order_id: int, *, buyer_id: int, pay_before: datetime, now: datetime) -> OrderTimedOut:
    """The event of a deadline that passed; whether the order is cancelled is decided by its handler."""
    return OrderTimedOut(
        order_id=order_id, buyer_id=buyer_id, pay_before=pay_before, event_time=now, operator="system:order"
    )


def compensation(
    *, payment_id: UUID, order_id: int, reason: str, now: datetime, operator: str
) -> PaymentSagaCompensationRequested:
    """The order's part of a payment cannot be done, or is not to stand."""
    return PaymentSagaCompensationRequested(
        saga_id=payment_id,
        payment_id=payment_id,
        order_id=order_id,
        step=CompensationStep.ORDER,
        reason=reason,
        event_time=now,
        operator=operator,
    )
