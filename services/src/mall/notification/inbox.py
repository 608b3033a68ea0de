"""Writes notices into inboxes, and tells the push nodes in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from mall.notification import store
from mall.notification.domain import Notice
from mall.notification.tables import NotificationRow
from mall_events.notification import UserNotified
from treaty_runtime.event import Context


async def deliver(context: Context, *, notices: Iterable[Notice]) -> None:
    """Deliver what an event says, once per user and kind."""
    event_id, now = context.envelope.id, context.envelope.time
    for notice in notices:
        if not await store.was_told(context.session, event_id=event_id, user_id=notice.user_id, kind=notice.kind):
            await _deliver(context, notice, event_id, now)


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
