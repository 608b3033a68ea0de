"""Books a transaction: entries, balances and their events, in the caller's transaction."""

from __future__ import annotations

from mall.payment import events, store
from mall.payment.domain import Account, Booking, balance_after
from mall.payment.tables import LedgerEntryRow
from mall.work import Work


async def book(work: Work, booking: Booking) -> None:
    """Write one transaction of the ledger. A second one of its kind for the payment is refused by the table."""
    rows = await store.lock_accounts(work.session, {name for name, _ in booking.entries}, currency=booking.currency)
    work.stage(events.booked(booking, now=work.now))
    for name, amount in booking.entries:
        row = rows[name]
        after = balance_after(Account(name, row.balance, row.version), amount)
        row.take(after)
        work.session.add(_entry(booking, name, amount, work))
        if after.is_told:
            work.stage(events.balance_updated(after, currency=booking.currency, now=work.now))


def _entry(booking: Booking, account: str, amount: int, work: Work) -> LedgerEntryRow:
    return LedgerEntryRow(
        transaction_id=booking.transaction_id,
        account=account,
        payment_id=booking.payment_id,
        kind=booking.kind.name,
        amount=amount,
        currency=booking.currency,
        booked_at=work.now,
    )
