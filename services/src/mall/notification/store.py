"""Every query of the notification service; sessions are passed in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.notification.outgoing import Contact
from mall.notification.tables import ContactRow, DeliveryRow, NotificationRow, SequenceRow, TicketRow, WebhookRow
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


async def is_unread_before(session: AsyncSession, row: NotificationRow) -> bool:
    """Whether an earlier notice about the same thing is unread too."""
    query = select(col(NotificationRow.id)).where(
        col(NotificationRow.user_id) == row.user_id,
        col(NotificationRow.kind) == row.kind,
        col(NotificationRow.link) == row.link,
        col(NotificationRow.sequence) < row.sequence,
        col(NotificationRow.read_at).is_(None),
    )
    return (await session.execute(query.limit(1))).first() is not None


async def add_ticket(session: AsyncSession, *, digest: str, user_id: int, expires_at: datetime, now: datetime) -> None:
    """Keep a ticket; expired ones go."""
    await session.execute(delete(TicketRow).where(col(TicketRow.expires_at) <= now))
    session.add(TicketRow(digest=digest, user_id=user_id, expires_at=expires_at))


async def take_ticket(session: AsyncSession, *, digest: str, now: datetime) -> int | None:
    """The user of a ticket, which is gone afterwards; None for one that is unknown, used or expired."""
    taken = delete(TicketRow).where(col(TicketRow.digest) == digest)
    row = (await session.execute(taken.returning(col(TicketRow.user_id), col(TicketRow.expires_at)))).first()
    return row.user_id if row is not None and now < row.expires_at else None


# -- where people are reached


async def contacts(session: AsyncSession, user_ids: Collection[int]) -> dict[int, Contact]:
    """Where these users are reached; those that are unknown or deleted are not in it."""
    query = select(ContactRow).where(col(ContactRow.user_id).in_(user_ids), col(ContactRow.email) != "")
    return {
        row.user_id: Contact(user_id=row.user_id, email=row.email, phone=row.phone, locale=row.locale)
        for row in await session.scalars(query)
    }


async def save_contact(session: AsyncSession, contact: Contact, *, version: int) -> None:
    """Keep what a version of the account says, unless a later one was seen."""
    values = {
        "user_id": contact.user_id,
        "email": contact.email,
        "phone": contact.phone,
        "locale": contact.locale,
        "version": version,
    }
    changes = {name: value for name, value in values.items() if name != "user_id"}
    written = insert(session, ContactRow).values(values)
    newer = col(ContactRow.version) < version
    await session.execute(written.on_conflict_do_update(index_elements=["user_id"], set_=changes, where=newer))


async def forget_user(session: AsyncSession, user_id: int, *, version: int) -> None:
    """Erase everything about a user; the version stays, so that an older event brings nothing back."""
    nothing = Contact(user_id=user_id, email="", phone=None, locale="")
    await save_contact(session, nothing, version=version)
    for table in (NotificationRow, SequenceRow, TicketRow, WebhookRow):
        await session.execute(delete(table).where(col(table.user_id) == user_id))


# -- users' own systems


async def webhook_of(session: AsyncSession, user_id: int) -> WebhookRow | None:
    """The system of a user's own, if there is one."""
    return await session.scalar(select(WebhookRow).where(col(WebhookRow.user_id) == user_id))


async def find_webhook(session: AsyncSession, endpoint_id: int) -> WebhookRow | None:
    """One endpoint."""
    return await session.get(WebhookRow, endpoint_id)


async def save_webhook(session: AsyncSession, *, user_id: int, url: str, secret: str, now: datetime) -> WebhookRow:
    """Register a user's system in place of the one before, with a number and a secret of its own."""
    await remove_webhook(session, user_id)
    row = WebhookRow(user_id=user_id, url=url, secret=secret, created_at=now)
    session.add(row)
    await session.flush()
    return row


async def remove_webhook(session: AsyncSession, user_id: int) -> None:
    """Tell a user's system no more."""
    await session.execute(delete(WebhookRow).where(col(WebhookRow.user_id) == user_id))


# -- what has left


async def delivery(session: AsyncSession, key: str) -> DeliveryRow | None:
    """What became of a message; None while it is to be sent."""
    return await session.get(DeliveryRow, key)


async def note_delivery(session: AsyncSession, row: DeliveryRow) -> None:
    """Keep what became of a message; the first word counts."""
    values = row.model_dump()
    await session.execute(insert(session, DeliveryRow).values(values).on_conflict_do_nothing())
