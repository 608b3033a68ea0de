"""Notifications as clients see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from mall.notification.tables import NotificationRow


class NotificationAnswer(BaseModel):
    """One line of the inbox."""

    notification_id: int
    sequence: int
    kind: str
    title: str
    body: str
    link: str | None
    at: datetime
    read_at: datetime | None


class NotificationPage(BaseModel):
    """Notifications in order; ask again after the last one's sequence."""

    notifications: list[NotificationAnswer]
    unread: int


class TicketAnswer(BaseModel):
    """A ticket for one WebSocket connection."""

    ticket: str
    expires_in_seconds: int


class WebhookAnswer(BaseModel):
    """A system that is told, and the secret of its signatures."""

    endpoint_id: int
    url: str
    secret: str


def notification_answer(row: NotificationRow) -> NotificationAnswer:
    """The notification of a row."""
    return NotificationAnswer(
        notification_id=row.id or 0,
        sequence=row.sequence,
        kind=row.kind,
        title=row.title,
        body=row.body,
        link=row.link,
        at=row.created_at,
        read_at=row.read_at,
    )


def page_answer(rows: Sequence[NotificationRow], *, unread: int) -> NotificationPage:
    """A page of the inbox."""
    return NotificationPage(notifications=[notification_answer(row) for row in rows], unread=unread)
