"""Who is told what about an event: the table of notices as a plain function.

Law: no effect has two triggers. People are told of payment and cancellation by the specific events, of shipping and refunds
by OrderStatusChanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from mall.notification.texts import REASONS, written
from mall_events.chat import ChatMessageCreated
from mall_events.order import OrderCancelled, OrderCreated, OrderLine, OrderPaid, OrderStatus, OrderStatusChanged

ToldAbout = OrderCreated | OrderPaid | OrderStatusChanged | OrderCancelled | ChatMessageCreated


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One line in one user's inbox."""

    user_id: int
    kind: str
    title: str
    body: str
    link: str | None


def notices(event: ToldAbout, *, locale: str) -> list[Notice]:
    """The notices of an event, by user id: writers that lock users in this order never wait for each other."""
    return sorted(_notices(event, locale), key=lambda notice: notice.user_id)


def _notices(event: ToldAbout, locale: str) -> Iterator[Notice]:
    match event:
        case OrderCreated():
            values = {
                "number": event.order_no,
                "total": _amount(event.total, event.currency),
                "goods": _goods(event.lines),
            }
            yield from _both(event, "order_created", locale, values)
        case OrderPaid():
            yield from _both(event, "order_paid", locale, {"total": _amount(event.total, event.currency)})
        case OrderCancelled():
            reason = REASONS[event.reason][locale]
            yield from _both(event, "order_cancelled", locale, {"goods": _goods(event.lines), "reason": reason})
        case OrderStatusChanged(current_status=OrderStatus.SHIPPED):
            text = written("order_shipped.buyer", locale=locale, values={})
            yield _notice(event.buyer_id, "order_shipped", text, _order_link(event))
        case OrderStatusChanged(current_status=OrderStatus.REFUNDED):
            yield from _both(event, "order_refunded", locale, {})
        case ChatMessageCreated():
            # The text stays in the conversation: it is personal, and topics are kept for a week.
            text = written("chat_message.recipient", locale=locale, values={})
            yield _notice(event.recipient_id, "chat_message", text, f"/conversations/{event.conversation_id}")
        case _:
            return


def _both(
    event: OrderCreated | OrderPaid | OrderCancelled | OrderStatusChanged,
    kind: str,
    locale: str,
    values: dict[str, str],
) -> Iterator[Notice]:
    for part, user_id in (("buyer", event.buyer_id), ("seller", event.seller_id)):
        text = written(f"{kind}.{part}", locale=locale, values=values)
        yield _notice(user_id, kind, text, _order_link(event))


def _notice(user_id: int, kind: str, text: tuple[str, str], link: str) -> Notice:
    return Notice(user_id=user_id, kind=kind, title=text[0], body=text[1], link=link)


def _order_link(event: OrderCreated | OrderPaid | OrderCancelled | OrderStatusChanged) -> str:
    return f"/orders/{event.order_id}"


def _goods(lines: list[OrderLine]) -> str:
    return lines[0].title if lines else ""


def _amount(total: Decimal, currency: str) -> str:
    return f"{total} {currency}"
