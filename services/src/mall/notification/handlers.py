"""Groups `notification-service` (writes inboxes) and `notification-push-<instance>` (feeds this node's sockets)."""

from __future__ import annotations

from mall.notification import calls, contacts
from mall.notification.domain import ToldAbout
from mall.notification.hub import Hub, Push
from mall.notification.inbox import Readership, tell
from mall.notification.outgoing import Called
from mall_events.accounting import AccountingBalanceUpdated, AccountingSettlementCompleted
from mall_events.chat import ChatMessageCreated
from mall_events.notification import UserNotified
from mall_events.order import (
    MerchantOrderCompleted,
    MerchantOrderUpdated,
    OrderCancelled,
    OrderCreated,
    OrderPaid,
    OrderStatusChanged,
)
from mall_events.payment import (
    PaymentCreated,
    PaymentFailed,
    PaymentRefundFailed,
    PaymentRefundSucceeded,
    PaymentSucceeded,
)
from mall_events.risk import RiskCriticalAlertRaised, RiskHighAlertRaised
from mall_events.user import UserDeleted, UserRegistered, UserStatusChanged, UserUpdated
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers


def inbox_handlers(readership: Readership) -> Handlers:
    """What writes inboxes, asks for messages and calls, and keeps contacts."""
    handlers = Handlers()
    on = handlers.on

    @on(OrderCreated)
    async def tell_about_new_order(event: OrderCreated, context: Context) -> None:
        """Tell buyer and seller of a new order, and the seller's system."""
        await tell(event, context, readership=readership)
        await calls.ask(event, context)

    @on(OrderPaid)
    async def tell_about_payment(event: OrderPaid, context: Context) -> None:
        """Tell buyer and seller that the order is paid, and the seller's system."""
        await tell(event, context, readership=readership)
        await calls.ask(event, context)

    @on(OrderStatusChanged)
    async def tell_about_progress(event: OrderStatusChanged, context: Context) -> None:
        """Tell the buyer that the order is on its way, and both that it was paid back."""
        await tell(event, context, readership=readership)

    @on(OrderCancelled)
    async def tell_about_cancellation(event: OrderCancelled, context: Context) -> None:
        """Tell buyer and seller that nothing comes of the order, and why."""
        await tell(event, context, readership=readership)

    @on(ChatMessageCreated)
    async def tell_about_message(event: ChatMessageCreated, context: Context) -> None:
        """Tell the recipient that somebody wrote."""
        await tell(event, context, readership=readership)

    _follow_payments(handlers, readership)
    _follow_accounts(handlers, readership)
    return handlers


def _follow_payments(handlers: Handlers, readership: Readership) -> None:
    on = handlers.on

    async def tell_about_money(event: ToldAbout, context: Context) -> None:
        """Tell whom it concerns: the payer, the merchant, administrators."""
        await tell(event, context, readership=readership)

    async def tell_merchant(event: Called, context: Context) -> None:
        """Tell the merchant's own system."""
        await calls.ask(event, context)

    on(PaymentFailed)(tell_about_money)
    on(PaymentRefundSucceeded)(tell_about_money)
    on(PaymentRefundFailed)(tell_about_money)
    on(AccountingSettlementCompleted)(tell_about_money)
    on(RiskHighAlertRaised)(tell_about_money)
    on(RiskCriticalAlertRaised)(tell_about_money)
    on(MerchantOrderUpdated)(tell_merchant)
    on(MerchantOrderCompleted)(tell_merchant)
    on(PaymentCreated)(tell_merchant)
    on(PaymentSucceeded)(tell_merchant)
    on(AccountingBalanceUpdated)(tell_merchant)


def _follow_accounts(handlers: Handlers, readership: Readership) -> None:
    on = handlers.on

    @on(UserRegistered)
    async def know(event: UserRegistered, context: Context) -> None:
        """Keep where a new user is reached."""
        await contacts.know(event, context)

    @on(UserUpdated)
    async def know_again(event: UserUpdated, context: Context) -> None:
        """Keep what the user edited, and tell the user's own system."""
        await contacts.know_again(event, context)
        await calls.ask(event, context)

    @on(UserStatusChanged)
    async def tell_about_status(event: UserStatusChanged, context: Context) -> None:
        """Tell the user what became of the account."""
        await tell(event, context, readership=readership)

    @on(UserDeleted)
    async def forget(event: UserDeleted, context: Context) -> None:
        """Erase where a deleted user was reached, and the inbox."""
        await contacts.forget(event, context)


def push_handlers(hub: Hub) -> Handlers:
    """What hands live notifications to the sockets of this node."""
    handlers = Handlers()

    @handlers.on(UserNotified, inbox=False)
    async def push(event: UserNotified, _context: Context) -> None:
        """Hand a notification to the sockets of its user on this node."""
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
