"""Who is told what: the table of notices, row by row."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from mall.notification.domain import ToldAbout, notices, readers
from mall.notification.mail_texts import MAILS
from mall.notification.outgoing import Called, Contact, messages, owner_of
from mall.notification.texts import LOCALES, REASONS, STATUSES, TEXTS
from mall_events.accounting import AccountingBalanceUpdated, AccountingSettlementCompleted
from mall_events.chat import ChatMessageCreated
from mall_events.order import (
    CancelReason,
    OrderCancelled,
    OrderCreated,
    OrderLine,
    OrderPaid,
    OrderStatus,
    OrderStatusChanged,
)
from mall_events.payment import PaymentFailed, PaymentRefundFailed, PaymentRefundSucceeded, PaymentStatus
from mall_events.risk import RiskCriticalAlertRaised, RiskHighAlertRaised
from mall_events.user import UserStatus, UserStatusChanged

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BUYER, SELLER = 20, 10
ADMINS = frozenset({1, 2})
LINES = [OrderLine(goods_id=5, title="Lamp {number}", unit_price=Decimal("3.50"), quantity=2)]
CREATED = OrderCreated(
    order_id=1,
    order_no="20260301-1",
    buyer_id=BUYER,
    seller_id=SELLER,
    lines=LINES,
    total=Decimal("7.00"),
    pay_before=NOW,
    event_time=NOW,
)
PAID = OrderPaid(
    order_id=1, buyer_id=BUYER, seller_id=SELLER, payment_id=UUID(int=1), total=Decimal("7.00"), event_time=NOW
)
MESSAGE = ChatMessageCreated(
    message_id=UUID(int=2),
    conversation_id=7,
    goods_id=5,
    sender_id=BUYER,
    recipient_id=SELLER,
    sequence=1,
    text="my number is 12345678901",
    event_time=NOW,
)

PAYMENT: dict[str, Any] = {
    "payment_id": UUID(int=1),
    "payment_no": "P-1",
    "merchant_id": SELLER,
    "order_id": 1,
    "payer_id": BUYER,
}
FAILED = PaymentFailed(
    **PAYMENT, amount=700, status=PaymentStatus.FAILED, failure_code="declined", failure_message="no", event_time=NOW
)
REFUNDED = PaymentRefundSucceeded(
    **PAYMENT, refund_id=UUID(int=3), amount=700, reason="asked", channel_reference="r", event_time=NOW
)
SETTLED = AccountingSettlementCompleted(
    settlement_id=UUID(int=4),
    merchant_id=SELLER,
    order_id=1,
    payment_id=UUID(int=1),
    amount=700,
    fee=4,
    transaction_id=UUID(int=5),
    event_time=NOW,
)
RISK: dict[str, Any] = {
    "check_id": UUID(int=6),
    "payment_id": UUID(int=1),
    "payer_id": BUYER,
    "rules": ["velocity"],
    "event_time": NOW,
}
HIGH = RiskHighAlertRaised(**RISK, score=70)
CRITICAL = RiskCriticalAlertRaised(**RISK, score=100)


def refused(attempt: int) -> PaymentRefundFailed:
    return PaymentRefundFailed(
        **PAYMENT,
        refund_id=UUID(int=3),
        amount=700,
        reason="asked",
        failure_code="declined",
        attempt=attempt,
        event_time=NOW,
    )


SUSPENDED = UserStatusChanged(
    user_id=BUYER,
    user_version=2,
    email="buyer@example.com",
    previous_status=UserStatus.ACTIVE,
    current_status=UserStatus.SUSPENDED,
    event_time=NOW,
)


def changed(status: OrderStatus) -> OrderStatusChanged:
    return OrderStatusChanged(
        order_id=1,
        buyer_id=BUYER,
        seller_id=SELLER,
        previous_status=OrderStatus.PAID,
        current_status=status,
        order_version=3,
        event_time=NOW,
    )


def cancelled(reason: CancelReason) -> OrderCancelled:
    return OrderCancelled(order_id=1, buyer_id=BUYER, seller_id=SELLER, reason=reason, lines=LINES, event_time=NOW)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (CREATED, [(SELLER, "order_created"), (BUYER, "order_created")]),
        (PAID, [(SELLER, "order_paid"), (BUYER, "order_paid")]),
        (changed(OrderStatus.SHIPPED), [(BUYER, "order_shipped")]),
        (changed(OrderStatus.REFUNDED), [(SELLER, "order_refunded"), (BUYER, "order_refunded")]),
        (changed(OrderStatus.PAID), []),
        (changed(OrderStatus.CANCELLED), []),
        (changed(OrderStatus.COMPLETED), []),
        (cancelled(CancelReason.BUYER_REQUEST), [(SELLER, "order_cancelled"), (BUYER, "order_cancelled")]),
        (MESSAGE, [(SELLER, "chat_message")]),
        (SUSPENDED, [(BUYER, "account_status")]),
        (FAILED, [(BUYER, "payment_failed")]),
        (REFUNDED, [(BUYER, "refund_success")]),
        (refused(1), [(BUYER, "refund_failed")]),
        (refused(2), []),
        (SETTLED, [(SELLER, "settlement")]),
        (HIGH, [(1, "risk_alert"), (2, "risk_alert")]),
        (CRITICAL, [(1, "risk_alert"), (2, "risk_alert")]),
    ],
)
@pytest.mark.parametrize("locale", LOCALES)
def test_the_right_people_are_told_in_the_order_of_their_ids(
    event: ToldAbout, told: list[tuple[int, str]], locale: str
) -> None:
    assert [
        (notice.user_id, notice.kind) for notice in notices(event, locale_of=lambda _: locale, admins=ADMINS)
    ] == told
    assert readers(event, admins=ADMINS) >= {user_id for user_id, _ in told}


def test_a_notice_says_what_was_ordered_and_leads_to_it() -> None:
    buyer = notices(CREATED, locale_of=lambda _: "en", admins=ADMINS)[1]
    assert buyer.title == "Order placed"
    assert buyer.body == "Your order 20260301-1 of Lamp {number} is placed. Please pay 7.00 CNY within 30 minutes."
    assert buyer.link == "/orders/1"


@pytest.mark.parametrize(("locale", "words"), [("en", "not paid in time"), ("zh", "超时未支付")])
def test_a_time_out_is_said_as_such(locale: str, words: str) -> None:
    assert all(
        words in notice.body
        for notice in notices(cancelled(CancelReason.PAYMENT_TIMEOUT), locale_of=lambda _: locale, admins=ADMINS)
    )


def test_the_text_of_a_message_stays_in_the_conversation() -> None:
    (notice,) = notices(MESSAGE, locale_of=lambda _: "en", admins=ADMINS)
    assert "12345678901" not in f"{notice.title}{notice.body}{notice.link}"
    assert notice.link == "/conversations/7"


def test_every_text_has_both_languages_with_the_same_placeholders() -> None:
    for texts in (*TEXTS.values(), *MAILS.values()):
        assert set(texts) == set(LOCALES)
        fields = [{name for _, name, _, _ in string.Formatter().parse(body) if name} for _, body in texts.values()]
        assert fields[0] == fields[1]
    assert set(REASONS) == set(CancelReason)
    assert set(STATUSES) == set(UserStatus)
    assert all(set(words) == set(LOCALES) for words in (*REASONS.values(), *STATUSES.values()))


def test_each_is_told_in_the_own_language() -> None:
    seller, buyer = notices(CREATED, locale_of={BUYER: "en", SELLER: "zh"}.__getitem__, admins=ADMINS)
    assert (seller.title, buyer.title) == ("新订单", "Order placed")


def test_money_is_told_in_units_and_whose_it_is() -> None:
    (settled,) = notices(SETTLED, locale_of=lambda _: "en", admins=ADMINS)
    assert (settled.body, settled.link) == ("7.00 CNY of your sale was settled.", "/orders/1")


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (CREATED, ["EmailRequested", "EmailRequested"]),
        (PAID, ["EmailRequested"]),
        (changed(OrderStatus.SHIPPED), ["EmailRequested", "SmsRequested"]),
        (changed(OrderStatus.REFUNDED), []),
        (cancelled(CancelReason.BUYER_REQUEST), ["EmailRequested", "EmailRequested"]),
        (MESSAGE, []),
        (SUSPENDED, []),
        (FAILED, ["EmailRequested"]),
        (REFUNDED, ["EmailRequested"]),
        (refused(1), []),
        (SETTLED, ["EmailRequested"]),
        (HIGH, []),
        (CRITICAL, ["EmailRequested", "SmsRequested"] * 2),
    ],
)
def test_the_right_messages_leave_the_mall(event: ToldAbout, asked: list[str]) -> None:
    told = notices(event, locale_of=lambda _: "en", admins=ADMINS)
    requests = [
        request
        for notice in told
        for request in messages(notice, contact=contact(notice.user_id), event_id=UUID(int=9), now=NOW)
    ]
    assert [type(request).__name__ for request in requests] == asked
    assert len({(type(request), request.notification_key) for request in requests}) == len(requests)


def contact(user_id: int) -> Contact:
    return Contact(user_id=user_id, email="a@example.com", phone="+8613800000000", locale="en")


BALANCE = AccountingBalanceUpdated(
    account=f"merchant:{SELLER}", owner_id=SELLER, balance=696, balance_version=1, event_time=NOW
)


@pytest.mark.parametrize(
    ("event", "owner"),
    [
        (CREATED, SELLER),
        (PAID, SELLER),
        (BALANCE, SELLER),
        (replace(BALANCE, account="fees", owner_id=None), None),
        (replace(BALANCE, account=f"payer:{BUYER}", owner_id=BUYER), None),
    ],
)
def test_only_whom_it_concerns_has_a_system_told(event: Called, owner: int | None) -> None:
    assert owner_of(event) == owner
