"""Every query of the payment service; sessions are passed in.

Locks are taken in one order, so that two transactions never wait for each other: the order's copy, the payment, its refund, saga
and settlement, then accounts by name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.payment.domain import Account, Payable, Payment, Refund
from mall.payment.tables import (
    LIVE,
    LedgerAccountRow,
    PayableOrderRow,
    PaymentRow,
    RefundRow,
    SagaRow,
    SettlementRow,
)
from mall.upsert import insert
from mall_events.order import OrderStatus
from mall_events.payment import PaymentMethod, PaymentStatus


class Conservation(NamedTuple):
    """Both sides of the ledger's law, in minor units: what the payments say, and what the accounts hold."""

    charged: int
    refunded: int
    clearing: int
    settled: int
    fees: int


async def find_payment(session: AsyncSession, payment_id: UUID, *, lock: bool = False) -> PaymentRow | None:
    """The payment's row, locked until the transaction ends if asked for."""
    query = select(PaymentRow).where(col(PaymentRow.payment_id) == payment_id)
    return await session.scalar(query.with_for_update() if lock else query)


def payment_of(row: PaymentRow) -> Payment:
    """The row as decisions see it."""
    return Payment(
        payment_id=row.payment_id,
        payment_no=row.payment_no,
        order_id=row.order_id,
        merchant_id=row.merchant_id,
        payer_id=row.payer_id,
        amount=row.amount,
        currency=row.currency,
        method=PaymentMethod[row.method],
        status=PaymentStatus[row.status],
        metadata=row.kept,
        is_settled=row.settled_at is not None,
    )


async def has_live_payment(session: AsyncSession, order_id: int) -> bool:
    """Whether a payment of the order is under way or has succeeded."""
    query = select(col(PaymentRow.payment_id)).where(
        col(PaymentRow.order_id) == order_id, col(PaymentRow.status).in_(LIVE)
    )
    return await session.scalar(query) is not None


async def count_payments(session: AsyncSession, payer_id: int, *, since: datetime) -> int:
    """How many payments a payer asked for."""
    query = select(func.count()).where(col(PaymentRow.payer_id) == payer_id, col(PaymentRow.created_at) > since)
    return await session.scalar(query) or 0


async def count_failures(session: AsyncSession, payer_id: int, *, since: datetime) -> int:
    """How many payments of a payer failed."""
    query = select(func.count()).where(
        col(PaymentRow.payer_id) == payer_id,
        col(PaymentRow.status) == PaymentStatus.FAILED.name,
        col(PaymentRow.updated_at) >= since,
    )
    return await session.scalar(query) or 0


async def refund_of_payment(session: AsyncSession, payment_id: UUID) -> RefundRow | None:
    """The refund of a payment; its payment's lock guards it."""
    return await session.scalar(select(RefundRow).where(col(RefundRow.payment_id) == payment_id))


def refund_of(row: RefundRow) -> Refund:
    """The row as decisions see it."""
    return Refund(refund_id=row.refund_id, reason=row.reason, attempts=row.attempts, due_at=row.due_at)


async def settlement_of_payment(session: AsyncSession, payment_id: UUID) -> SettlementRow | None:
    """The settlement of a payment; its payment's lock guards it."""
    return await session.scalar(select(SettlementRow).where(col(SettlementRow.payment_id) == payment_id))


async def payment_ids_of_order(session: AsyncSession, order_id: int) -> Sequence[UUID]:
    """The payments of an order that have a settlement, by id."""
    query = select(col(SettlementRow.payment_id)).where(col(SettlementRow.order_id) == order_id)
    return list(await session.scalars(query.order_by(col(SettlementRow.payment_id))))


async def lock_accounts(session: AsyncSession, names: Collection[str], *, currency: str) -> dict[str, LedgerAccountRow]:
    """The accounts, opened where they are missing, locked in the order of their names."""
    for name in sorted(names):
        owner_id = Account(name).owner_id
        row = {"account": name, "owner_id": owner_id, "currency": currency, "balance": 0, "version": 0}
        await session.execute(insert(session, LedgerAccountRow).values(row).on_conflict_do_nothing())
    query = select(LedgerAccountRow).where(col(LedgerAccountRow.account).in_(names))
    query = query.order_by(col(LedgerAccountRow.account)).with_for_update()
    return {row.account: row for row in await session.scalars(query.execution_options(populate_existing=True))}


async def find_account(session: AsyncSession, name: str) -> LedgerAccountRow | None:
    """An account, if anything was ever booked there."""
    return await session.get(LedgerAccountRow, name)


async def conservation(session: AsyncSession) -> Conservation:
    """Both sides, read by one statement: two would see two moments."""
    amount, balance, account = col(PaymentRow.amount), col(LedgerAccountRow.balance), col(LedgerAccountRow.account)
    parts = (
        select(func.sum(amount)).where(col(PaymentRow.charged_at).is_not(None)),
        select(func.sum(col(RefundRow.amount))).where(col(RefundRow.paid_back_at).is_not(None)),
        select(func.sum(balance)).where(account == "clearing"),
        select(func.sum(balance)).where(account.like("merchant:%")),
        select(func.sum(balance)).where(account == "fees"),
    )
    row = (await session.execute(select(*(func.coalesce(part.scalar_subquery(), 0) for part in parts)))).one()
    return Conservation(*(int(value) for value in row))


async def find_payable(session: AsyncSession, order_id: int, *, lock: bool = False) -> PayableOrderRow | None:
    """The copy of an order, locked until the transaction ends if asked for."""
    query = select(PayableOrderRow).where(col(PayableOrderRow.order_id) == order_id)
    return await session.scalar(query.with_for_update() if lock else query)


def payable_of(row: PayableOrderRow) -> Payable | None:
    """The copy as decisions see it; None while its OrderCreated is on its way."""
    if row.amount is None or row.currency is None or row.pay_before is None:
        return None
    return Payable(
        order_id=row.order_id,
        buyer_id=row.buyer_id,
        seller_id=row.seller_id,
        amount=row.amount,
        currency=row.currency,
        pay_before=row.pay_before,
        status=OrderStatus[row.status],
    )


async def due_sagas(session: AsyncSession, *, now: datetime, staged_before: datetime, at_most: int) -> Sequence[UUID]:
    """Sagas that somebody has to look at and that nobody was told of since `staged_before`, oldest first."""
    due, staged = col(SagaRow.due_at), col(SagaRow.staged_at)
    query = select(col(SagaRow.saga_id)).where(due <= now, or_(staged.is_(None), staged < staged_before))
    return list(await session.scalars(query.order_by(due).limit(at_most)))


async def due_refunds(session: AsyncSession, *, now: datetime, staged_before: datetime, at_most: int) -> Sequence[UUID]:
    """Payments whose refund the channel is to be asked for, likewise."""
    due, staged = col(RefundRow.due_at), col(RefundRow.staged_at)
    query = select(col(RefundRow.payment_id)).where(due <= now, or_(staged.is_(None), staged < staged_before))
    return list(await session.scalars(query.order_by(due).limit(at_most)))
