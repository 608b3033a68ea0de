"""A ticket opens one WebSocket: browsers cannot send a token with it, and addresses end up in logs.

Law: a ticket works once, for 30 s; the table holds its hash only.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from mall.notification import store
from mall.work import Work

VALID_FOR = timedelta(seconds=30)


async def issue(work: Work, *, user_id: int, ticket: str) -> None:
    """Make `ticket` (at least 128 random bits) valid for its user."""
    await store.add_ticket(
        work.session, digest=_digest(ticket), user_id=user_id, expires_at=work.now + VALID_FOR, now=work.now
    )


async def redeem(work: Work, *, ticket: str) -> int | None:
    """The ticket's user; None if it is unknown, used or expired."""
    return await store.take_ticket(work.session, digest=_digest(ticket), now=work.now)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
