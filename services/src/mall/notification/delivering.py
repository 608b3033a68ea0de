"""Groups `notification-mail` and `notification-delivery`: what was asked for leaves the mall.

Law 1: what is done is noted under the request's key and never done again; a death between the two sends twice, with the same
key. Law 2: a record that is given away takes its send along: whoever leaves waits `DRAIN` for it, which is longer than a call takes
and than a mail server has until it is given the mail. What is left is a server that says so late that it has a mail. Law 3: a mail
server that is away is waited for; a system of a user's own gets its attempts and is then given up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from mall.notification import store
from mall.notification.mail_texts import mail_text
from mall.notification.mails import UnsafeMail, compose
from mall.notification.sends import Sends
from mall.notification.sms import SmsGateway
from mall.notification.smtp import MailRefused, SmtpMail
from mall.notification.tables import DeliveryRow
from mall.notification.webhook import Call, CallFailed, EndpointRefused, HttpWebhook
from mall_events.notification import EmailRequested, SmsRequested, WebhookRequested
from treaty_runtime.errors import Reject
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers
from treaty_runtime.retry import RetryPolicy

Requested = EmailRequested | SmsRequested | WebhookRequested
RETRY = RetryPolicy()
ATTEMPTS = 1 + len(RETRY.delays)
TIMEOUT, MAIL_TIMEOUT = timedelta(seconds=20), timedelta(seconds=90)
DRAIN = timedelta(seconds=20)
"""No longer: with the last commit it stays below the half minute after which a thread that does not turn counts as dead."""
SENT, REFUSED, GIVEN_UP = "sent", "refused", "given_up"


def mail_handlers(mail: SmtpMail) -> Handlers:
    """What sends mails."""
    handlers, sends = Handlers(), Sends()

    @handlers.on(EmailRequested, external=True, inbox=False, timeout=MAIL_TIMEOUT)
    async def send_mail(event: EmailRequested, context: Context) -> None:
        try:
            content = compose(event)
        except (UnsafeMail, KeyError) as error:
            raise Reject(f"This mail cannot be written: {error}") from None
        try:
            send = partial(mail.send, content, to=event.to_address)
            await _once(event, context, channel="email", send=partial(sends.once, event.notification_key, send))
        except MailRefused as error:
            await _note(event, context, channel="email", outcome=REFUSED, detail=str(error))

    return handlers


def other_handlers(*, sms: SmsGateway, webhook: HttpWebhook) -> Handlers:
    """What sends text messages and calls users' own systems."""
    handlers, sends = Handlers(), Sends()

    @handlers.on(SmsRequested, external=True, inbox=False, timeout=TIMEOUT)
    async def send_text(event: SmsRequested, context: Context) -> None:
        try:
            _, text = mail_text(event.template, locale=event.locale, parameters=event.parameters)
        except KeyError as error:
            raise Reject(f"There is no text {error}.") from None
        send = partial(sms.send, to=event.to_phone, text=text, key=event.notification_key)
        await _once(event, context, channel="sms", send=partial(sends.once, event.notification_key, send))

    @handlers.on(WebhookRequested, external=True, inbox=False, timeout=TIMEOUT)
    async def call_system(event: WebhookRequested, context: Context) -> None:
        row = await store.find_webhook(context.session, event.endpoint_id)
        if row is None:  # removed, or replaced by another: nobody waits for it
            return
        wanted = Call(
            url=row.url, secret=row.secret, event_id=event.notification_key.partition(":")[0], body=event.body
        )
        at = int(event.event_time.timestamp())
        try:
            call = partial(webhook.call, wanted, at=at)
            await _once(event, context, channel="webhook", send=partial(sends.once, event.notification_key, call))
        except EndpointRefused as error:
            await _note(event, context, channel="webhook", outcome=REFUSED, detail=str(error))
        except CallFailed as error:
            if context.attempt < ATTEMPTS:
                raise
            await _note(event, context, channel="webhook", outcome=GIVEN_UP, detail=str(error))

    return handlers


async def _once(event: Requested, context: Context, *, channel: str, send: Callable[[], Awaitable[None]]) -> None:
    if await store.delivery(context.session, event.notification_key) is not None:
        return
    # SQLite has one writer: no transaction is held while somebody else's server takes its time.
    await context.session.commit()
    await context.outside(channel, event.notification_key, send)
    await _note(event, context, channel=channel, outcome=SENT)


async def _note(event: Requested, context: Context, *, channel: str, outcome: str, detail: str = "") -> None:
    row = DeliveryRow(
        notification_key=event.notification_key,
        channel=channel,
        outcome=outcome,
        detail=detail,
        at=context.envelope.time,
    )
    await store.note_delivery(context.session, row)
