"""Groups `notification-service` (writes inboxes) and `notification-push-<instance>` (feeds this node's sockets)."""

from __future__ import annotations

from mall.notification.domain import notices
from mall.notification.hub import Hub, Push
from mall.notification.inbox import deliver
from mall_events.chat import ChatMessageCreated
from mall_events.notification import UserNotified
from mall_events.order import OrderCancelled, OrderCreated, OrderPaid, OrderStatusChanged
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers


def inbox_handlers(*, locale: str) -> Handlers:
    """What writes inboxes, in the language of `locale` (`en` or `zh`)."""
    handlers = Handlers()
    on = handlers.on

    @on(OrderCreated)
    async def tell_about_new_order(event: OrderCreated, context: Context) -> None:
        await deliver(context, notices=notices(event, locale=locale))

    @on(OrderPaid)
    async def tell_about_payment(event: OrderPaid, context: Context) -> None:
        await deliver(context, notices=notices(event, locale=locale))

    @on(OrderStatusChanged)
    async def tell_about_progress(event: OrderStatusChanged, context: Context) -> None:
        await deliver(context, notices=notices(event, locale=locale))

    @on(OrderCancelled)
    async def tell_about_cancellation(event: OrderCancelled, context: Context) -> None:
        await deliver(context, notices=notices(event, locale=locale))

    @on(ChatMessageCreated)
    async def tell_about_message(event: ChatMessageCreated, context: Context) -> None:
        await deliver(context, notices=notices(event, locale=locale))

    return handlers


def push_handlers(hub: Hub) -> Handlers:
    """What hands live notifications to the sockets of this node."""
    handlers = Handlers()

    @handlers.on(UserNotified, inbox=False)
    async def push(event: UserNotified, _context: Context) -> None:
        hub.push(
            event.user_id,
            Push(
                sequence=event.sequence,
                kind=event.kind,
                title=event.title,
                body=event.body,
                link=event.link,
                at=event.event_time,
            ),
        )

    return handlers
