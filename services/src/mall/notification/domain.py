"""Who is told what about an event: the table of notices as a plain function.

Law: no effect has two triggers. People are told of payment and cancellation by the specific events, of shipping and refunds
by OrderStatusChanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from mall.notification.texts import REASONS, STATUSES, written
from mall_events.accounting import AccountingSettlementCompleted
from mall_events.chat import ChatMessageCreated
from mall_events.order import OrderCancelled, OrderCreated, OrderLine, OrderPaid, OrderStatus, OrderStatusChanged
from mall_events.payment import PaymentFailed, PaymentRefundFailed, PaymentRefundSucceeded
from mall_events.risk import RiskCriticalAlertRaised, RiskHighAlertRaised
from mall_events.user import UserStatusChanged

AboutOrder = OrderCreated | OrderPaid | OrderStatusChanged | OrderCancelled
AboutPayment = PaymentFailed | PaymentRefundSucceeded | PaymentRefundFailed
Alert = RiskHighAlertRaised | RiskCriticalAlertRaised
ToldAbout = AboutOrder | AboutPayment | Alert | AccountingSettlementCompleted | ChatMessageCreated | UserStatusChanged
LocaleOf = Callable[[int], str]
"""The language of a user, `en` or `zh`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One line in one user's inbox; `text` names it in `TEXTS`, `values` are what its placeholders stand for."""

    user_id: int
    kind: str
    title: str
    body: str
    link: str | None
    text: str
    values: Mapping[str, str] = field(default_factory=dict)


def readers(event: ToldAbout, *, admins: frozenset[int]) -> frozenset[int]:
    """Everybody who may be told about the event."""
    match event:
        case RiskHighAlertRaised() | RiskCriticalAlertRaised():
            return admins
        case PaymentFailed() | PaymentRefundSucceeded() | PaymentRefundFailed():
            return frozenset({event.payer_id})
        case AccountingSettlementCompleted():
            return frozenset({event.merchant_id})
        case ChatMessageCreated():
            return frozenset({event.recipient_id})
        case UserStatusChanged():
            return frozenset({event.user_id})
        case _:
            return frozenset({event.buyer_id, event.seller_id})


def notices(event: ToldAbout, *, locale_of: LocaleOf, admins: frozenset[int]) -> list[Notice]:
    """The notices of an event, by user id: writers that lock users in this order never wait for each other."""
    match event:
        case RiskHighAlertRaised() | RiskCriticalAlertRaised():
            told = _alerts(event, locale_of, admins)
        case PaymentFailed() | PaymentRefundSucceeded() | PaymentRefundFailed() | AccountingSettlementCompleted():
            told = _about_money(event, locale_of)
        case ChatMessageCreated() | UserStatusChanged():
            told = _about_one(event, locale_of)
        case _:
            told = _about_order(event, locale_of)
    return sorted(told, key=lambda notice: notice.user_id)


def _alerts(event: Alert, locale_of: LocaleOf, admins: frozenset[int]) -> Iterator[Notice]:
    text = "risk_alert.critical" if isinstance(event, RiskCriticalAlertRaised) else "risk_alert.high"
    values = {"payment": str(event.payment_id), "score": str(event.score), "rules": ", ".join(event.rules)}
    for admin in admins:
        yield _notice(admin, text, locale_of, values=values)


def _about_money(event: AboutPayment | AccountingSettlementCompleted, locale_of: LocaleOf) -> Iterator[Notice]:
    values = {"amount": _amount(Decimal(event.amount).scaleb(-2), event.currency)}
    link = f"/orders/{event.order_id}"
    match event:
        case PaymentFailed():
            yield _notice(event.payer_id, "payment_failed.payer", locale_of, values=values, link=link)
        case PaymentRefundSucceeded():
            yield _notice(event.payer_id, "refund_success.payer", locale_of, values=values, link=link)
        case PaymentRefundFailed(attempt=1):  # later attempts are for people who mend, not for who waits
            yield _notice(event.payer_id, "refund_failed.payer", locale_of, values=values, link=link)
        case AccountingSettlementCompleted():
            yield _notice(event.merchant_id, "settlement.merchant", locale_of, values=values, link=link)
        case _:
            return


def _about_one(event: ChatMessageCreated | UserStatusChanged, locale_of: LocaleOf) -> Iterator[Notice]:
    match event:
        case ChatMessageCreated():
            # The text stays in the conversation: it is personal, and topics are kept for a week.
            link = f"/conversations/{event.conversation_id}"
            yield _notice(event.recipient_id, "chat_message.recipient", locale_of, link=link)
        case UserStatusChanged():
            values = {"status": STATUSES[event.current_status][locale_of(event.user_id)]}
            yield _notice(event.user_id, "account_status.user", locale_of, values=values)


def _about_order(event: AboutOrder, locale_of: LocaleOf) -> Iterator[Notice]:
    match event:
        case OrderCreated():
            values = {
                "number": event.order_no,
                "total": _amount(event.total, event.currency),
                "goods": _goods(event.lines),
            }
            yield from _both(event, "order_created", locale_of, lambda _: values)
        case OrderPaid():
            total = {"total": _amount(event.total, event.currency)}
            yield from _both(event, "order_paid", locale_of, lambda _: total)
        case OrderCancelled():
            goods, reason = _goods(event.lines), REASONS[event.reason]
            yield from _both(
                event, "order_cancelled", locale_of, lambda locale: {"goods": goods, "reason": reason[locale]}
            )
        case OrderStatusChanged(current_status=OrderStatus.SHIPPED):
            yield _notice(event.buyer_id, "order_shipped.buyer", locale_of, link=_order_link(event))
        case OrderStatusChanged(current_status=OrderStatus.REFUNDED):
            yield from _both(event, "order_refunded", locale_of, lambda _: {})
        case _:
            return


def _both(
    event: AboutOrder, kind: str, locale_of: LocaleOf, values_in: Callable[[str], Mapping[str, str]]
) -> Iterator[Notice]:
    for part, user_id in (("buyer", event.buyer_id), ("seller", event.seller_id)):
        values = values_in(locale_of(user_id))
        yield _notice(user_id, f"{kind}.{part}", locale_of, values=values, link=_order_link(event))


def _notice(
    user_id: int, text: str, locale_of: LocaleOf, *, values: Mapping[str, str] | None = None, link: str | None = None
) -> Notice:
    title, body = written(text, locale=locale_of(user_id), values=values or {})
    kind = text.partition(".")[0]
    return Notice(user_id=user_id, kind=kind, title=title, body=body, link=link, text=text, values=values or {})


def _order_link(event: AboutOrder) -> str:
    return f"/orders/{event.order_id}"


def _goods(lines: list[OrderLine]) -> str:
    return lines[0].title if lines else ""


def _amount(total: Decimal, currency: str) -> str:
    return f"{total} {currency}"
