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
from mall_events.accounting import AccountingBalanceUpdated
from mall_events.notification import EmailRequested, SmsRequested, WebhookRequested
from mall_events.order import MerchantOrderCompleted, MerchantOrderUpdated, OrderCreated, OrderPaid
from mall_events.payment import PaymentCreated, PaymentSucceeded
from mall_events.user import UserUpdated

OPERATOR = "system:notification"
TEXTED = frozenset({"order_shipped.buyer", "risk_alert.critical"})
"""Notices that are also sent as text messages."""
AboutMerchant = (
    MerchantOrderUpdated | MerchantOrderCompleted | PaymentCreated | PaymentSucceeded | AccountingBalanceUpdated
)
Called = OrderCreated | OrderPaid | UserUpdated | AboutMerchant


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


def unread_mail(contact: Contact, *, event_id: UUID, now: datetime) -> EmailRequested:
    """The mail about a message that was not read."""
    return EmailRequested(
        notification_key=f"{event_id}:chat_unread:{contact.user_id}",
        user_id=contact.user_id,
        to_address=contact.email,
        template="chat_unread",
        locale=contact.locale,
        parameters={},
        event_time=now,
        operator=OPERATOR,
    )


def owner_of(event: Called) -> int | None:
    """Whose systems are told about the event: the seller's, or the user's own; None for an account that is no merchant's."""
    match event:
        case UserUpdated():
            return event.user_id
        case OrderCreated() | OrderPaid():
            return event.seller_id
        case AccountingBalanceUpdated():
            return event.owner_id if event.account.startswith("merchant:") else None
        case _:
            return event.merchant_id


def call(event: Called, *, owner: int, endpoint_id: int, event_id: UUID, now: datetime) -> WebhookRequested:
    """The call that tells the owner's system."""
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
        case MerchantOrderUpdated():
            status = {"previous_status": event.previous_status.name, "current_status": event.current_status.name}
            return {"order_id": str(event.order_id)} | status | _minor(event.amount, event.currency)
        case MerchantOrderCompleted():
            ids = {"order_id": str(event.order_id), "payment_id": str(event.payment_id)}
            return ids | _minor(event.amount, event.currency)
        case PaymentCreated() | PaymentSucceeded():
            ids = {"order_id": str(event.order_id), "payment_id": str(event.payment_id)}
            return ids | {"status": event.status.name} | _minor(event.amount, event.currency)
        case AccountingBalanceUpdated():
            version = {"account": event.account, "version": event.balance_version}
            return version | _minor(event.balance, event.currency)
        case UserUpdated():
            return {"user_id": str(event.user_id), "version": event.user_version, "changes": sorted(event.changes)}
        case OrderCreated():
            return {"order_id": str(event.order_id), "order_no": event.order_no} | _money(event)
        case OrderPaid():
            return {"order_id": str(event.order_id), "payment_id": str(event.payment_id)} | _money(event)


def _minor(amount: int, currency: str) -> dict[str, object]:
    return {"amount_minor": str(amount), "currency": currency}


def _money(event: OrderCreated | OrderPaid) -> dict[str, object]:
    return {"total": str(event.total), "currency": event.currency}
