"""The table of `mall.payment.domain.saga`, row by row, and its saga."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from mall.payment.domain import (
    PAYMENT,
    TRANSITIONS,
    Approved,
    Declined,
    Payment,
    Refund,
    Trigger,
    advance,
    answered,
    compensated_by,
    refuse_refund,
)
from mall_events.payment import PaymentMethod, PaymentStatus
from mall_events.saga import CompensationStep

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEW = Payment(
    payment_id=UUID(int=7),
    payment_no="20260301-000000000007",
    order_id=1,
    merchant_id=20,
    payer_id=10,
    amount=1234,
    currency="CNY",
    method=PaymentMethod.CARD,
    status=PaymentStatus.CREATED,
)


LISTED = [
    ("CREATED", Trigger.CHARGED, "SUCCEEDED"),
    ("CREATED", Trigger.DECLINED, "FAILED"),
    ("CREATED", Trigger.REJECTED, "FAILED"),
    ("CREATED", Trigger.GIVEN_UP, "CANCELLED"),
    ("CREATED", Trigger.UNDONE, "CANCELLED"),
    ("CANCELLED", Trigger.CHARGED, "REFUNDING"),
    ("SUCCEEDED", Trigger.UNDONE, "REFUNDING"),
    ("REFUNDING", Trigger.PAID_BACK, "REFUNDED"),
]


@pytest.mark.parametrize(("status", "trigger", "to"), LISTED)
def test_a_listed_transition_happens(status: str, trigger: Trigger, to: str) -> None:
    before = replace(NEW, status=PaymentStatus[status])
    assert advance(before, trigger) == replace(before, status=PaymentStatus[to])


@pytest.mark.parametrize(
    ("status", "trigger"),
    [pair for pair in product(PaymentStatus.__members__, Trigger) if pair not in {row[:2] for row in LISTED}],
)
def test_anything_else_changes_nothing(status: str, trigger: Trigger) -> None:
    assert advance(replace(NEW, status=PaymentStatus[status]), trigger) is None


@pytest.mark.parametrize("trigger", Trigger)
def test_what_was_settled_with_the_merchant_stays_so(trigger: Trigger) -> None:
    assert advance(replace(NEW, status=PaymentStatus.SUCCEEDED, is_settled=True), trigger) is None


def test_an_answer_of_the_channel_charges_or_declines() -> None:
    assert answered(Approved("ref")) is Trigger.CHARGED
    assert answered(Declined("declined", "no")) is Trigger.DECLINED


@pytest.mark.parametrize(
    ("step", "trigger"),
    [
        (CompensationStep.ORDER, Trigger.UNDONE),
        (CompensationStep.CHANNEL, Trigger.UNDONE),
        (CompensationStep.TIMEOUT, Trigger.GIVEN_UP),
    ],
)
def test_a_time_out_leaves_alone_what_was_charged_in_time(step: CompensationStep, trigger: Trigger) -> None:
    assert compensated_by(step) is trigger


def test_a_refused_refund_is_tried_three_times_more_a_minute_apart() -> None:
    refund, dues = Refund(refund_id=UUID(int=8), reason="refund_requested", attempts=0, due_at=NOW), []
    while refund.due_at is not None:
        refund = refuse_refund(refund, now=NOW)
        dues.append(refund.due_at)
    assert dues == [NOW + timedelta(minutes=1)] * 3 + [None]
    assert refund.attempts == 4


def test_every_transition_of_a_payment_moves_its_saga() -> None:
    moves = {(state, to) for on in PAYMENT.transitions for state, to in on.moves.items()}
    states = {
        PaymentStatus.CREATED: "STARTED",
        PaymentStatus.SUCCEEDED: "COMPLETED",
        PaymentStatus.FAILED: "COMPENSATED",
        PaymentStatus.CANCELLED: "COMPENSATED",
        PaymentStatus.REFUNDING: "COMPENSATING",
        PaymentStatus.REFUNDED: "COMPENSATED",
    }
    assert {(states[before], states[after]) for (before, _), after in TRANSITIONS.items()} == moves
