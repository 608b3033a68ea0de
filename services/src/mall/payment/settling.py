"""Settles completed orders with their merchants.

Law 1: a payment is settled once, and only while it stands as SUCCEEDED; both are read under its lock.
Law 2: events of several topics come in any order, so a settlement that was closed or booked is not opened again.
"""

from __future__ import annotations

from uuid import UUID

from mall.payment import events, store
from mall.payment.booking import book
from mall.payment.domain import fee_of, settlement_booking
from mall.payment.tables import PaymentRow, SettlementRow
from mall.work import Work
from mall_events.payment import PaymentStatus

OPEN, CLOSED, BOOKED, COMPLETED = "OPEN", "CLOSED", "BOOKED", "COMPLETED"


async def open_receivable(work: Work, payment_id: UUID) -> None:
    """A payment succeeded: its merchant is to get it once the order is completed."""
    payment = await store.find_payment(work.session, payment_id, lock=True)
    if payment is not None and await store.settlement_of_payment(work.session, payment_id) is None:
        work.session.add(_settlement(payment, OPEN, work))


async def close_receivable(work: Work, payment_id: UUID) -> None:
    """A payment was paid back: there is nothing to settle."""
    payment = await store.find_payment(work.session, payment_id, lock=True)
    if payment is None:
        return
    row = await store.settlement_of_payment(work.session, payment_id)
    if row is None:
        work.session.add(_settlement(payment, CLOSED, work))
    elif row.status == OPEN:
        row.status, row.updated_at = CLOSED, work.now


async def close_receivables_of_order(work: Work, order_id: int) -> None:
    """An order was cancelled: nothing of it is settled."""
    for payment_id in await store.payment_ids_of_order(work.session, order_id):
        await close_receivable(work, payment_id)


async def settle(work: Work, payment_id: UUID, *, fee_bps: int) -> None:
    """An order is completed: book its payment for the merchant, less the fee."""
    row = await store.find_payment(work.session, payment_id, lock=True)
    if row is None or row.status != PaymentStatus.SUCCEEDED.name or row.settled_at is not None:
        return  # paid by hand, being paid back, or settled
    payment, fee = store.payment_of(row), fee_of(row.amount, bps=fee_bps)
    settlement = await store.settlement_of_payment(work.session, payment_id)
    if settlement is None:
        settlement = _settlement(row, BOOKED, work)
        work.session.add(settlement)
    settlement.status, settlement.fee, settlement.updated_at = BOOKED, fee, work.now
    row.settled_at = work.now
    work.stage(events.settlement_created(payment, fee=fee, now=work.now))
    booking = settlement_booking(payment, fee=fee)
    await book(work, booking)
    transaction_id = booking.transaction_id
    work.stage(events.settlement_completed(payment, fee=fee, transaction_id=transaction_id, now=work.now))


async def complete(work: Work, payment_id: UUID) -> None:
    """A settlement was told: its row is done."""
    await store.find_payment(work.session, payment_id, lock=True)
    row = await store.settlement_of_payment(work.session, payment_id)
    if row is not None and row.status == BOOKED:
        row.status, row.updated_at = COMPLETED, work.now


def _settlement(payment: PaymentRow, status: str, work: Work) -> SettlementRow:
    return SettlementRow(
        settlement_id=events.settlement_id(payment.payment_id),
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        merchant_id=payment.merchant_id,
        amount=payment.amount,
        currency=payment.currency,
        status=status,
        opened_at=work.now,
        updated_at=work.now,
    )
