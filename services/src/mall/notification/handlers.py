"""Groups `notification-service` (writes inboxes) and `notification-push-<instance>` (feeds this node's sockets)."""

from __future__ import annotations

from mall.notification import calls, contacts
from mall.notification.hub import Hub, Push
from mall.notification.inbox import tell
from mall_events.chat import ChatMessageCreated
from mall_events.notification import UserNotified
from mall_events.order import OrderCancelled, OrderCreated, OrderPaid, OrderStatusChanged
from mall_events.user import UserDeleted, UserRegistered, UserStatusChanged, UserUpdated
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers


def inbox_handlers(*, locale: str) -> Handlers:
    """What writes inboxes and keeps contacts; `locale` (`en` or `zh`) is the language of users that are not known."""
    handlers = Handlers()
    on = handlers.on

    @on(OrderCreated)
    async def tell_about_new_order(event: OrderCreated, context: Context) -> None:
        await tell(event, context, locale=locale)
        await calls.ask(event, context)

    @on(OrderPaid)
    async def tell_about_payment(event: OrderPaid, context: Context) -> None:
        await tell(event, context, locale=locale)
        await calls.ask(event, context)

    @on(OrderStatusChanged)
    async def tell_about_progress(event: OrderStatusChanged, context: Context) -> None:
        await tell(event, context, locale=locale)

    @on(OrderCancelled)
    async def tell_about_cancellation(event: OrderCancelled, context: Context) -> None:
        await tell(event, context, locale=locale)

    @on(ChatMessageCreated)
    async def tell_about_message(event: ChatMessageCreated, context: Context) -> None:
        await tell(event, context, locale=locale)

    _follow_accounts(handlers, locale=locale)
    return handlers


def _follow_accounts(handlers: Handlers, *, locale: str) -> None:
    on = handlers.on

    @on(UserRegistered)
    async def know(event: UserRegistered, context: Context) -> None:
        await contacts.know(event, context)

    @on(UserUpdated)
    async def know_again(event: UserUpdated, context: Context) -> None:
        await contacts.know_again(event, context)
        await calls.ask(event, context)

    @on(UserStatusChanged)
    async def tell_about_status(event: UserStatusChanged, context: Context) -> None:
        await tell(event, context, locale=locale)

    @on(UserDeleted)
    async def forget(event: UserDeleted, context: Context) -> None:
        await contacts.forget(event, context)


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
