"""What is booked: `mall.payment.domain.ledger`, held by laws over any amounts."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mall.payment.domain import Account, balance_after, booking_of, fee_of, settlement_booking
from mall_events.accounting import TransactionKind
from mall_events.payment import PaymentStatus
from tests.mall.payment.test_saga import NEW

AMOUNTS = st.integers(min_value=1, max_value=10**12)
CHARGE, REFUND = TransactionKind.CHARGE, TransactionKind.REFUND


def test_a_charge_is_held_and_a_refund_is_the_charge_reversed() -> None:
    charge = booking_of(PaymentStatus.CREATED, replace(NEW, status=PaymentStatus.SUCCEEDED))
    late = booking_of(PaymentStatus.CANCELLED, replace(NEW, status=PaymentStatus.REFUNDING))
    back = booking_of(PaymentStatus.REFUNDING, replace(NEW, status=PaymentStatus.REFUNDED))
    assert charge is not None
    assert back is not None
    assert charge == late
    assert (charge.kind, dict(charge.entries)) == (CHARGE, {"payer:10": -1234, "clearing": 1234})
    assert (back.kind, dict(back.entries)) == (REFUND, {"payer:10": 1234, "clearing": -1234})


@pytest.mark.parametrize(("before", "after"), product(PaymentStatus, PaymentStatus))
def test_no_other_transition_moves_money(before: PaymentStatus, after: PaymentStatus) -> None:
    moving = {
        (PaymentStatus.CREATED, PaymentStatus.SUCCEEDED),
        (PaymentStatus.CANCELLED, PaymentStatus.REFUNDING),
        (PaymentStatus.REFUNDING, PaymentStatus.REFUNDED),
    }
    assert (booking_of(before, replace(NEW, status=after)) is not None) == ((before, after) in moving)


@given(amount=AMOUNTS, bps=st.integers(min_value=0, max_value=10_000))
def test_a_settlement_gives_everything_away_and_has_no_empty_entry(amount: int, bps: int) -> None:
    payment, fee = replace(NEW, amount=amount), fee_of(amount, bps=bps)
    assert 0 <= fee <= amount
    entries = dict(settlement_booking(payment, fee=fee).entries)
    assert sum(entries.values()) == 0
    assert 0 not in entries.values()
    assert entries["clearing"] == -amount
    assert entries.get("merchant:20", 0) + entries.get("fees", 0) == amount


def test_a_fee_is_rounded_down() -> None:
    assert [fee_of(amount, bps=60) for amount in (166, 167, 1234, 1_000_000)] == [0, 1, 7, 6000]


def test_a_booking_has_one_identity_for_ever() -> None:
    first = booking_of(PaymentStatus.CREATED, replace(NEW, status=PaymentStatus.SUCCEEDED))
    again = booking_of(PaymentStatus.CREATED, replace(NEW, status=PaymentStatus.SUCCEEDED))
    settled = settlement_booking(NEW, fee=7)
    assert first is not None
    assert again is not None
    assert first.transaction_id == again.transaction_id != settled.transaction_id


def test_a_balance_counts_its_bookings_and_a_payer_s_is_not_told() -> None:
    account = balance_after(balance_after(Account("merchant:20"), 100), -30)
    assert (account.balance, account.version, account.owner_id, account.is_told) == (70, 2, 20, True)
    assert not Account("payer:10").is_told
    assert Account("clearing").owner_id is None
