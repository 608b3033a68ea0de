"""Where handlers stand that ask the channel: the channel, the clock, and transactions that end before it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mall.database import Sessions
from mall.payment import store
from mall.payment.channel import Channel
from mall.payment.tables import PaymentRow
from mall.work import Work, apart
from treaty_runtime.event import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """What a handler needs that talks to the channel between two transactions."""

    sessions: Sessions
    channel: Channel
    now: Callable[[], datetime]

    @asynccontextmanager
    async def open(self, context: Context, *, since: datetime) -> AsyncIterator[Work]:
        """A transaction of its own; its time is not before `since`, should this host's clock be behind."""
        async with apart(context, sessions=self.sessions, now=max(self.now(), since)) as work:
            yield work

    async def look(self, payment_id: UUID) -> PaymentRow | None:
        """The payment as it stands, without a lock."""
        async with self.sessions() as session:
            return await store.find_payment(session, payment_id)
