"""Every query of the notification service; sessions are passed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.notification.tables import NotificationRow, SequenceRow, TicketRow
from mall.upsert import insert


async def was_told(session: AsyncSession, *, event_id: UUID, user_id: int, kind: str) -> bool:
    """Whether the user has this notice already."""
    query = select(col(NotificationRow.id)).where(
        col(NotificationRow.event_id) == event_id,
        col(NotificationRow.user_id) == user_id,
        col(NotificationRow.kind) == kind,
    )
    return (await session.execute(query)).first() is not None


async def next_sequence(session: AsyncSession, user_id: int) -> int:
    """The next number of the user's notifications; the user's counter stays locked until the transaction ends."""
    last = col(SequenceRow.last)
    counted = (
        insert(session, SequenceRow)
        .values({"user_id": user_id, "last": 1})
        .on_conflict_do_update(index_elements=["user_id"], set_={"last": last + 1})
        .returning(last)
    )
    return int((await session.execute(counted)).scalar_one())


async def notifications(
    session: AsyncSession, *, user_id: int, after_sequence: int, size: int
) -> Sequence[NotificationRow]:
    """Up to `size` notifications of a user after a sequence, in order."""
    query = (
        select(NotificationRow)
        .where(col(NotificationRow.user_id) == user_id, col(NotificationRow.sequence) > after_sequence)
        .order_by(col(NotificationRow.sequence))
        .limit(size)
    )
    return list(await session.scalars(query))


async def unread(session: AsyncSession, user_id: int) -> int:
    """How many notifications the user has not read."""
    query = select(func.count()).where(col(NotificationRow.user_id) == user_id, col(NotificationRow.read_at).is_(None))
    return int(await session.scalar(query) or 0)


async def find_notification(session: AsyncSession, notification_id: int) -> NotificationRow | None:
    """One notification."""
    return await session.get(NotificationRow, notification_id)


async def add_ticket(session: AsyncSession, *, digest: str, user_id: int, expires_at: datetime, now: datetime) -> None:
    """Keep a ticket; expired ones go."""
    await session.execute(delete(TicketRow).where(col(TicketRow.expires_at) <= now))
    session.add(TicketRow(digest=digest, user_id=user_id, expires_at=expires_at))


async def take_ticket(session: AsyncSession, *, digest: str, now: datetime) -> int | None:
    """The user of a ticket, which is gone afterwards; None for one that is unknown, used or expired."""
    taken = delete(TicketRow).where(col(TicketRow.digest) == digest)
    row = (await session.execute(taken.returning(col(TicketRow.user_id), col(TicketRow.expires_at)))).first()
    return row.user_id if row is not None and now < row.expires_at else None
