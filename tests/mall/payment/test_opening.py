"""Which orders may be paid: `mall.payment.domain.opening`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mall.payment.domain import Payable, may_pay
from mall_events.order import OrderStatus

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = Payable(
    order_id=1,
    buyer_id=10,
    seller_id=20,
    amount=1234,
    currency="CNY",
    pay_before=NOW + timedelta(microseconds=1),
    status=OrderStatus.PENDING_PAYMENT,
)


def test_an_unpaid_order_may_be_paid_until_its_deadline() -> None:
    assert may_pay(ORDER, has_live_payment=False, now=NOW) is None


def test_one_payment_at_a_time() -> None:
    refused = may_pay(ORDER, has_live_payment=True, now=NOW)
    assert refused is not None
    assert refused.code == "payment_in_progress"


@pytest.mark.parametrize(
    "order",
    [
        replace(ORDER, pay_before=NOW),
        replace(ORDER, amount=0),
        replace(ORDER, currency="EUR"),
        *(replace(ORDER, status=status) for status in OrderStatus if status is not OrderStatus.PENDING_PAYMENT),
    ],
)
def test_any_other_order_is_not_payable(order: Payable) -> None:
    refused = may_pay(order, has_live_payment=False, now=NOW)
    assert refused is not None
    assert refused.code == "order_not_payable"
    assert str(order.order_id) in refused.message
