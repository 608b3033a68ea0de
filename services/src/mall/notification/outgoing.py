"""What leaves the mall about an event: mails, text messages and calls to users' own systems, as plain functions.

Law: the same event asks for the same message under the same key, so that it is sent once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mall.notification.domain import Notice
from mall.notification.mail_texts import MAILED
from mall_events.notification import EmailRequested, SmsRequested, WebhookRequested
from mall_events.order import OrderCreated, OrderPaid
from mall_events.user import UserUpdated

OPERATOR = "system:notification"
TEXTED = frozenset({"order_shipped.buyer"})
"""Notices that are also sent as text messages."""
Called = OrderCreated | OrderPaid | UserUpdated


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where a user is reached, and in which language."""

    user_id: int
    email: str
    phone: str | None
    locale: str


def messages(
    notice: Notice, *, contact: Contact, event_id: UUID, now: datetime
) -> Iterator[EmailRequested | SmsRequested]:
    """The mail and the text message that go with a notice."""
    template = notice.text.replace(".", "_")
    key = f"{event_id}:{template}:{notice.user_id}"
    if notice.text in MAILED and contact.email:
        yield EmailRequested(
            notification_key=key,
            user_id=notice.user_id,
            to_address=contact.email,
            template=template,
            locale=contact.locale,
            parameters=dict(notice.values),
            event_time=now,
            operator=OPERATOR,
        )
    if notice.text in TEXTED and contact.phone:
        yield SmsRequested(
            notification_key=key,
            user_id=notice.user_id,
            to_phone=contact.phone,
            template=template,
            locale=contact.locale,
            parameters=dict(notice.values),
            event_time=now,
            operator=OPERATOR,
        )


def owner_of(event: Called) -> int:
    """Whose systems are told about the event: the seller's, or the user's own."""
    return event.user_id if isinstance(event, UserUpdated) else event.seller_id


def call(event: Called, *, endpoint_id: int, event_id: UUID, now: datetime) -> WebhookRequested:
    """The call that tells the owner's system."""
    owner = owner_of(event)
    body = {"event_id": str(event_id), "event_type": event.__event_type__, "time": now.isoformat(), **_facts(event)}
    return WebhookRequested(
        notification_key=f"{event_id}:{endpoint_id}:{owner}",
        user_id=owner,
        endpoint_id=endpoint_id,
        event_type=event.__event_type__,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        event_time=now,
        operator=OPERATOR,
    )


def _facts(event: Called) -> dict[str, object]:
    # Ids travel as texts: readers that take numbers for doubles would change them.
    match event:
        case UserUpdated():
            return {"user_id": str(event.user_id), "version": event.user_version, "changes": sorted(event.changes)}
        case OrderCreated():
            return {"order_id": str(event.order_id), "order_no": event.order_no} | _money(event)
        case OrderPaid():
            return {"order_id": str(event.order_id), "payment_id": str(event.payment_id)} | _money(event)


def _money(event: OrderCreated | OrderPaid) -> dict[str, object]:
    return {"total": str(event.total), "currency": event.currency}
