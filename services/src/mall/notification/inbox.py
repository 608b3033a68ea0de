"""Writes notices into inboxes; tells the push nodes, and asks for mails and text messages, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mall.notification import store
from mall.notification.domain import Notice, ToldAbout, notices, readers
from mall.notification.outgoing import Contact, messages
from mall.notification.tables import NotificationRow
from mall.notification.unread import KIND, unread_job
from mall_events.notification import UserNotified
from treaty_runtime.event import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Readership:
    """Whom alerts are for, and the language of users that are not known."""

    locale: str
    admins: frozenset[int] = frozenset()


async def tell(event: ToldAbout, context: Context, *, readership: Readership) -> None:
    """Tell everybody concerned, each in the own language; once per user and kind."""
    admins = readership.admins
    contacts = await store.contacts(context.session, readers(event, admins=admins))
    told = notices(event, locale_of=_locale_of(contacts, readership.locale), admins=admins)
    await _deliver_all(context, told, contacts)


def _locale_of(contacts: Mapping[int, Contact], default: str) -> Callable[[int], str]:
    return lambda user_id: contacts[user_id].locale if user_id in contacts else default


async def _deliver_all(context: Context, told: Iterable[Notice], contacts: Mapping[int, Contact]) -> None:
    event_id, now = context.envelope.id, context.envelope.time
    for notice in told:
        if await store.was_told(context.session, event_id=event_id, user_id=notice.user_id, kind=notice.kind):
            continue
        await _deliver(context, notice, event_id, now)
        if contact := contacts.get(notice.user_id):
            for request in messages(notice, contact=contact, event_id=event_id, now=now):
                context.stage(request)


async def _deliver(context: Context, notice: Notice, event_id: UUID, now: datetime) -> None:
    row = NotificationRow(
        user_id=notice.user_id,
        sequence=await store.next_sequence(context.session, notice.user_id),
        event_id=event_id,
        kind=notice.kind,
        title=notice.title,
        body=notice.body,
        link=notice.link,
        created_at=now,
    )
    context.session.add(row)
    await context.session.flush()
    if row.kind == KIND:
        context.schedule(unread_job(row.id or 0, told_at=now))
    context.stage(
        UserNotified(
            notification_id=row.id or 0,
            user_id=row.user_id,
            sequence=row.sequence,
            kind=row.kind,
            title=row.title,
            body=row.body,
            link=row.link,
            event_time=now,
            operator="system:notification",
        )
    )
