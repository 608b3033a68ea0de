"""A model of many payments at once: whatever comes in whatever order, money is conserved and every saga ends.

The decisions are the domain's; the machine is the world: a channel that keeps its own books, answers that come late, twice or
never, an order service that changes its mind.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from mall.payment.domain import (
    PAYMENT,
    Approved,
    Booking,
    Declined,
    Payment,
    Refund,
    Trigger,
    advance,
    answered,
    booking_of,
    fee_of,
    refuse_refund,
    settlement_booking,
)
from mall_events.payment import PaymentMethod, PaymentStatus
from treaty_runtime.saga import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAGA_OF = {
    PaymentStatus.CREATED: "STARTED",
    PaymentStatus.SUCCEEDED: "COMPLETED",
    PaymentStatus.REFUNDING: "COMPENSATING",
}


@dataclass
class Way:
    """One payment, what the channel did for it, what was booked."""

    payment: Payment
    charged: bool = False
    declined: bool = False
    paid_back: int = 0
    refund: Refund | None = None
    booked: list[Booking] = field(default_factory=list)


class Payments(RuleBasedStateMachine):
    """Every rule is something that may happen to a payment at any time, and again."""

    ways = Bundle("ways")

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Way] = []
        self.accounts: Counter[str] = Counter()

    @rule(target=ways, amount=st.integers(1, 10**9), payer=st.integers(1, 3), merchant=st.integers(4, 5))
    def ask(self, amount: int, payer: int, merchant: int) -> Way:
        way = Way(
            Payment(
                payment_id=UUID(int=len(self.all)),
                payment_no=str(len(self.all)),
                order_id=len(self.all),
                merchant_id=merchant,
                payer_id=payer,
                amount=amount,
                currency="CNY",
                method=PaymentMethod.CARD,
                status=PaymentStatus.CREATED,
            )
        )
        self.all.append(way)
        return way

    @rule(way=ways, is_declined=st.booleans(), is_heard=st.booleans())
    def charge(self, way: Way, is_declined: bool, is_heard: bool) -> None:
        if way.payment.status is not PaymentStatus.CREATED and not way.charged:
            return  # the adapter asks for new charges of new payments only, and about old ones at any time
        if not way.charged and not way.declined:
            way.charged, way.declined = not is_declined, is_declined
        if is_heard:
            self.move(way, answered(Approved("ref") if way.charged else Declined("declined", "no")))

    @rule(way=ways, trigger=st.sampled_from([Trigger.GIVEN_UP, Trigger.UNDONE]))
    def compensate(self, way: Way, trigger: Trigger) -> None:
        self.move(way, trigger)

    @rule(way=ways, is_refused=st.booleans(), is_heard=st.booleans())
    def pay_back(self, way: Way, is_refused: bool, is_heard: bool) -> None:
        if way.payment.status is not PaymentStatus.REFUNDING or way.refund is None or way.refund.due_at is None:
            return
        if is_refused and not way.paid_back:
            way.refund = refuse_refund(way.refund, now=NOW)
            return
        way.paid_back = 1
        if is_heard:
            self.move(way, Trigger.PAID_BACK)

    @rule(way=ways, bps=st.integers(0, 10_000))
    def settle(self, way: Way, bps: int) -> None:
        if way.payment.status is PaymentStatus.SUCCEEDED and not way.payment.is_settled:
            self.book(way, settlement_booking(way.payment, fee=fee_of(way.payment.amount, bps=bps)))
            way.payment = replace(way.payment, is_settled=True)

    @rule(way=ways)
    def let_everything_end(self, way: Way) -> None:
        self.charge(way, is_declined=False, is_heard=True)
        self.compensate(way, Trigger.GIVEN_UP)
        self.charge(way, is_declined=False, is_heard=True)
        self.pay_back(way, is_refused=False, is_heard=True)
        ended = {PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.REFUNDED}
        ended |= set() if way.charged else {PaymentStatus.CANCELLED}
        is_left_to_people = way.refund is not None and way.refund.due_at is None and not way.paid_back
        assert way.payment.status in ended or is_left_to_people

    def move(self, way: Way, trigger: Trigger) -> None:
        before, after = way.payment, advance(way.payment, trigger)
        if after is None:
            return
        way.payment = after
        booking = booking_of(before.status, after)
        if booking is not None:
            self.book(way, booking)
        if after.status is PaymentStatus.REFUNDING:
            way.refund = Refund(refund_id=UUID(int=0), reason="x", attempts=0, due_at=NOW)

    def book(self, way: Way, booking: Booking) -> None:
        way.booked.append(booking)
        self.accounts.update(dict(booking.entries))

    @invariant()
    def money_is_conserved(self) -> None:
        taken = sum(way.payment.amount for way in self.all if kinds(way)["CHARGE"])
        back = sum(way.payment.amount for way in self.all if kinds(way)["REFUND"])
        settled = sum(total for name, total in self.accounts.items() if name.startswith("merchant:"))
        assert taken - back == self.accounts["clearing"] + settled + self.accounts["fees"]
        assert sum(self.accounts.values()) == 0
        assert self.accounts["clearing"] >= 0

    @invariant()
    def nothing_is_booked_twice_or_without_the_channel(self) -> None:
        for way in self.all:
            booked = kinds(way)
            assert max(booked.values(), default=0) <= 1
            assert booked["CHARGE"] <= way.charged
            assert booked["REFUND"] <= way.paid_back <= way.charged
            assert not (booked["REFUND"] and booked["SETTLEMENT"])

    @invariant()
    def the_saga_knows_every_status(self) -> None:
        assert {State(SAGA_OF.get(way.payment.status, "COMPENSATED")).name for way in self.all} <= PAYMENT.states


def kinds(way: Way) -> Counter[str]:
    return Counter(booking.kind.name for booking in way.booked)


TestPayments = Payments.TestCase
TestPayments.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


AT_SIZE = settings(max_examples=1_000, stateful_step_count=100, deadline=None)


@pytest.mark.long
@pytest.mark.timeout(900)
class TestTenThousandPayments(Payments.TestCase):  # type: ignore[misc, valid-type]  # made by Hypothesis at import
    """The same at size: about ten payments an example."""

    settings = AT_SIZE
