"""The table of `mall.order.domain.life`, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from uuid import UUID

import pytest

from mall.order.domain import Advanced, Ignored, Move, Order, Refused, Trigger, advance, evolve, order_no
from mall.order.domain.life import TRANSITIONS
from mall_events.order import CancelReason, OrderCreated, OrderLine, OrderPaid, OrderStatus, OrderStatusChanged

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAYMENT = UUID(int=7)
LINES = (OrderLine(goods_id=5, title="Lamp", unit_price=Decimal("3.50"), quantity=2),)
PENDING = Order(
    order_id=1,
    buyer_id=10,
    seller_id=20,
    status=OrderStatus.PENDING_PAYMENT,
    version=1,
    lines=LINES,
    total=Decimal("7.00"),
    currency="CNY",
    pay_before=NOW,
)


@pytest.mark.parametrize(
    ("status", "trigger", "to", "move", "reason"),
    [
        ("PENDING_PAYMENT", Trigger.PAID, "PAID", Move.SELL, None),
        ("PENDING_PAYMENT", Trigger.TIMED_OUT, "CANCELLED", Move.RELEASE, CancelReason.PAYMENT_TIMEOUT),
        ("PENDING_PAYMENT", Trigger.CANCELLED_BY_BUYER, "CANCELLED", Move.RELEASE, CancelReason.BUYER_REQUEST),
        ("PENDING_PAYMENT", Trigger.CANCELLED_BY_SELLER, "CANCELLED", Move.RELEASE, CancelReason.SELLER_REQUEST),
        ("PAID", Trigger.SHIPPED, "SHIPPED", None, None),
        ("SHIPPED", Trigger.CONFIRMED, "COMPLETED", None, None),
        ("PAID", Trigger.REFUNDED, "REFUNDED", Move.RETURN, None),
        ("SHIPPED", Trigger.REFUNDED, "REFUNDED", Move.RETURN, None),
    ],
)
def test_a_listed_transition_happens(
    status: str, trigger: Trigger, to: str, move: Move | None, reason: CancelReason | None
) -> None:
    before = replace(PENDING, status=OrderStatus[status])
    outcome = advance(before, trigger, now=NOW)
    assert outcome == Advanced(replace(before, status=OrderStatus[to], version=2), before.status, move, reason)


@pytest.mark.parametrize(
    ("status", "trigger"),
    [pair for pair in product(OrderStatus, Trigger) if pair not in TRANSITIONS and pair[1] is not Trigger.TIMED_OUT],
)
def test_any_other_transition_is_refused_and_names_both_states(status: OrderStatus, trigger: Trigger) -> None:
    outcome = advance(replace(PENDING, status=status), trigger, now=NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == "illegal_transition"
    assert status.name in outcome.message
    assert trigger.value in outcome.message


@pytest.mark.parametrize("status", [status for status in OrderStatus if status is not OrderStatus.PENDING_PAYMENT])
def test_a_time_out_that_comes_too_late_is_ignored(status: OrderStatus) -> None:
    assert isinstance(advance(replace(PENDING, status=status), Trigger.TIMED_OUT, now=NOW), Ignored)


def test_a_time_out_before_the_deadline_is_ignored_and_says_when_to_look_again() -> None:
    later = NOW + timedelta(microseconds=1)
    assert advance(replace(PENDING, pay_before=later), Trigger.TIMED_OUT, now=NOW) == Ignored(
        "its deadline was moved", until=later
    )


def test_a_live_hold_defers_the_time_out_and_refuses_a_cancellation() -> None:
    until = NOW + timedelta(minutes=5)
    held = replace(PENDING, hold_until=until)
    assert advance(held, Trigger.TIMED_OUT, now=NOW) == Ignored("a payment is in progress", until=until)
    refusal = advance(held, Trigger.CANCELLED_BY_BUYER, now=NOW)
    assert isinstance(refusal, Refused)
    assert refusal.code == "payment_in_progress"
    assert isinstance(advance(held, Trigger.TIMED_OUT, now=until), Advanced)


@pytest.mark.parametrize(("status", "trigger"), [("PAID", Trigger.SHIPPED), ("SHIPPED", Trigger.CONFIRMED)])
def test_an_order_whose_refund_was_asked_for_is_neither_shipped_nor_confirmed(status: str, trigger: Trigger) -> None:
    outcome = advance(replace(PENDING, status=OrderStatus[status], refund_requested=True), trigger, now=NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == "refund_requested"


def test_folding_the_events_gives_the_order() -> None:
    created = OrderCreated(
        order_id=1,
        order_no=order_no(1, placed_at=NOW),
        buyer_id=10,
        seller_id=20,
        lines=list(LINES),
        total=Decimal("7.00"),
        pay_before=NOW,
        event_time=NOW,
    )
    paid = OrderPaid(order_id=1, buyer_id=10, seller_id=20, payment_id=PAYMENT, total=Decimal("7.00"), event_time=NOW)
    changed = OrderStatusChanged(
        order_id=1,
        buyer_id=10,
        seller_id=20,
        previous_status=OrderStatus.PENDING_PAYMENT,
        current_status=OrderStatus.PAID,
        order_version=2,
        event_time=NOW,
    )
    order = None
    for event in (created, paid, changed, changed, created):
        order = evolve(order, event)
    assert order == replace(PENDING, status=OrderStatus.PAID, version=2, payment_id=PAYMENT)
    assert evolve(None, paid) is None


def test_the_order_number_tells_the_day() -> None:
    assert order_no(9007199254740993, placed_at=NOW) == "20260301-9007199254740993"
