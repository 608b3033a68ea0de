"""Who is told what about an event: the table of notices as a plain function.

Law: no effect has two triggers. People are told of payment and cancellation by the specific events, of shipping and refunds
by OrderStatusChanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from mall.notification.texts import REASONS, STATUSES, written
from mall_events.chat import ChatMessageCreated
from mall_events.order import OrderCancelled, OrderCreated, OrderLine, OrderPaid, OrderStatus, OrderStatusChanged
from mall_events.user import UserStatusChanged

AboutOrder = OrderCreated | OrderPaid | OrderStatusChanged | OrderCancelled
ToldAbout = AboutOrder | ChatMessageCreated | UserStatusChanged
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


def readers(event: ToldAbout) -> frozenset[int]:
    """Everybody who may be told about the event."""
    match event:
        case ChatMessageCreated():
            return frozenset({event.recipient_id})
        case UserStatusChanged():
            return frozenset({event.user_id})
        case _:
            return frozenset({event.buyer_id, event.seller_id})


def notices(event: ToldAbout, *, locale_of: LocaleOf) -> list[Notice]:
    """The notices of an event, by user id: writers that lock users in this order never wait for each other."""
    return sorted(_notices(event, locale_of), key=lambda notice: notice.user_id)


def _notices(event: ToldAbout, locale_of: LocaleOf) -> Iterator[Notice]:
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
        case ChatMessageCreated():
            # The text stays in the conversation: it is personal, and topics are kept for a week.
            link = f"/conversations/{event.conversation_id}"
            yield _notice(event.recipient_id, "chat_message.recipient", locale_of, link=link)
        case UserStatusChanged():
            values = {"status": STATUSES[event.current_status][locale_of(event.user_id)]}
            yield _notice(event.user_id, "account_status.user", locale_of, values=values)
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
