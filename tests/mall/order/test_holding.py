"""Which payment may hold an order, row by row: `mall.order.domain.holding`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from mall.order.domain import Advanced, Claim, Ignored, Order, Refused, Trigger, advance, ask_refund, hold, release
from mall_events.order import OrderStatus
from tests.mall.order.test_life import NOW, PAYMENT, PENDING

OTHER, BY_HAND = UUID(int=8), UUID(int=9)
UNTIL = NOW + timedelta(minutes=5)
CLAIM = Claim(payment_id=PAYMENT, amount=700, currency="CNY", deadline=UNTIL)
HELD = replace(PENDING, hold_until=UNTIL, hold_payment_id=PAYMENT)
HELD_BY_OTHER = replace(HELD, hold_payment_id=OTHER)


def held(order: Order, claim: Claim = CLAIM) -> Order | Ignored | Refused:
    return hold(order, claim, total=700, now=NOW)


def test_an_unpaid_order_is_held_until_the_deadline_of_its_payment() -> None:
    assert held(PENDING) == HELD
    assert held(HELD) == HELD


def test_a_hold_past_its_deadline_holds_no_more() -> None:
    assert held(replace(HELD_BY_OTHER, hold_until=NOW)) == HELD


@pytest.mark.parametrize(
    ("order", "claim", "code"),
    [
        (HELD_BY_OTHER, CLAIM, "already_held"),
        (PENDING, replace(CLAIM, amount=701), "amount_differs"),
        (PENDING, replace(CLAIM, currency="EUR"), "amount_differs"),
        (replace(PENDING, status=OrderStatus.CANCELLED), CLAIM, "order_not_payable"),
        (replace(PENDING, status=OrderStatus.PAID, payment_id=OTHER), CLAIM, "order_not_payable"),
    ],
)
def test_anything_else_says_why_not(order: Order, claim: Claim, code: str) -> None:
    outcome = held(order, claim)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_a_payment_that_ended_before_its_start_was_heard_of_holds_nothing() -> None:
    paid = replace(PENDING, status=OrderStatus.PAID, payment_id=PAYMENT)
    assert isinstance(held(paid), Ignored)
    assert isinstance(held(release(PENDING, payment_id=PAYMENT)), Ignored)


def test_a_failed_payment_lets_go_of_its_own_hold_only() -> None:
    assert release(HELD, payment_id=PAYMENT) == replace(PENDING, failed_payment_id=PAYMENT)
    assert release(HELD_BY_OTHER, payment_id=PAYMENT) == replace(HELD_BY_OTHER, failed_payment_id=PAYMENT)


def test_the_payment_that_holds_pays_and_the_hold_is_over() -> None:
    outcome = advance(HELD, Trigger.PAID, now=NOW, payment_id=PAYMENT)
    assert isinstance(outcome, Advanced)
    assert (outcome.order.payment_id, outcome.order.hold_until, outcome.order.hold_payment_id) == (PAYMENT, None, None)


def test_another_payment_does_not_pay_under_a_live_hold() -> None:
    refused = advance(HELD_BY_OTHER, Trigger.PAID, now=NOW, payment_id=PAYMENT)
    assert isinstance(refused, Refused)
    assert refused.code == "payment_in_progress"
    assert isinstance(advance(HELD_BY_OTHER, Trigger.PAID, now=UNTIL, payment_id=PAYMENT), Advanced)


def test_a_payment_pays_once_and_its_own_refund_only_is_one() -> None:
    paid = replace(PENDING, status=OrderStatus.PAID, payment_id=PAYMENT)
    assert isinstance(advance(paid, Trigger.PAID, now=NOW, payment_id=PAYMENT), Ignored)
    assert isinstance(advance(paid, Trigger.PAID, now=NOW, payment_id=OTHER), Refused)
    assert isinstance(advance(paid, Trigger.REFUNDED, now=NOW, payment_id=OTHER), Ignored)
    assert isinstance(advance(paid, Trigger.REFUNDED, now=NOW, payment_id=PAYMENT), Advanced)


@pytest.mark.parametrize("status", OrderStatus)
def test_only_a_paid_order_has_money_to_ask_back(status: OrderStatus) -> None:
    order = replace(PENDING, status=status, payment_id=PAYMENT)
    outcome = ask_refund(order, by_hand=BY_HAND)
    if status in (OrderStatus.PAID, OrderStatus.SHIPPED):
        assert outcome == replace(order, refund_requested=True)
        assert isinstance(outcome, Order)
        assert isinstance(ask_refund(outcome, by_hand=BY_HAND), Ignored)
    else:
        assert isinstance(outcome, Refused)
        assert outcome.code == "illegal_transition"


def test_cash_is_not_paid_back_by_a_channel() -> None:
    outcome = ask_refund(replace(PENDING, status=OrderStatus.PAID, payment_id=BY_HAND), by_hand=BY_HAND)
    assert isinstance(outcome, Refused)
    assert outcome.code == "paid_by_hand"
