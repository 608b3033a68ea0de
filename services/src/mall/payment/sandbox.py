"""A channel for development: what it answers is in the last two digits of the amount.

Law: it behaves as somebody else's system. It commits by itself, before it answers; nothing of ours rolls it back.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from mall.database import Sessions
from mall.payment.channel import ChannelSilent
from mall.payment.domain import Answer, Approved, Declined
from mall.payment.tables import SandboxChargeRow
from mall.upsert import insert

DECLINED, SILENT_ONCE, REFUND_REFUSED_TWICE = 13, 14, 15
REFUSALS = 2


class SandboxChannel:
    """Approves all but amounts ending in 13 (declined), 14 (charged, but silent once) and 15 (two refunds refused)."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def charge(self, payment_id: UUID, *, amount: int, currency: str) -> Answer:
        """Take the money, once."""
        async with self._sessions.begin() as session:
            row = await _row(session, payment_id, amount=amount, currency=currency)
            row.asked += 1
            is_silent = row.asked == 1 and amount % 100 == SILENT_ONCE
            if amount % 100 != DECLINED and not row.charges:
                row.charges += 1
        if is_silent:
            raise ChannelSilent(f"no answer about {payment_id}")
        return _charge_answer(row)

    async def find(self, payment_id: UUID) -> Answer | None:
        """What became of a charge."""
        async with self._sessions.begin() as session:
            row = await session.get(SandboxChargeRow, payment_id)
        return None if row is None else _charge_answer(row)

    async def refund(self, refund_id: UUID, *, payment_id: UUID, amount: int, currency: str) -> Answer:
        """Give the money back, once."""
        async with self._sessions.begin() as session:
            row = await _row(session, payment_id, amount=amount, currency=currency)
            row.refund_asked += 1
            is_refused = amount % 100 == REFUND_REFUSED_TWICE and row.refund_asked <= REFUSALS
            if not row.charges or is_refused:
                return Declined("refused", f"The sandbox refuses refund {refund_id}.")
            row.refunds = 1
        return Approved(f"sandbox-refund-{refund_id.hex[:12]}")


def _charge_answer(row: SandboxChargeRow) -> Answer:
    if not row.charges:
        return Declined("declined", f"The sandbox declines amounts that end in {DECLINED}.")
    return Approved(f"sandbox-{row.payment_id.hex[:12]}")


async def _row(session: AsyncSession, payment_id: UUID, *, amount: int, currency: str) -> SandboxChargeRow:
    values = {
        "payment_id": payment_id,
        "amount": amount,
        "currency": currency,
        "asked": 0,
        "charges": 0,
        "refund_asked": 0,
        "refunds": 0,
    }
    await session.execute(insert(session, SandboxChargeRow).values(values).on_conflict_do_nothing())
    return await session.get_one(SandboxChargeRow, payment_id, with_for_update=True)
