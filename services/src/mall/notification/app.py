"""Puts the notification service together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fastapi import FastAPI

from mall.notification import api, socket
from mall.notification.delivering import DRAIN, RETRY, mail_handlers, other_handlers
from mall.notification.handlers import inbox_handlers, push_handlers
from mall.notification.hub import Hub
from mall.notification.inbox import Readership
from mall.notification.sms import FileSms, SmsGateway
from mall.notification.smtp import AT_ONCE, SmtpMail
from mall.notification.tables import metadata
from mall.notification.unread import QUEUE, unread_worker
from mall.notification.webhook import HttpWebhook
from mall.redis import open_redis
from mall.service import Assembly
from mall.settings import Settings
from mall_events.notification import EmailRequested, SmsRequested, UserNotified, WebhookRequested
from treaty_runtime.clock import utcnow
from treaty_runtime.delay.queue import DelayQueue
from treaty_runtime.delay.redis import RedisDelays
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "notification", "dlq.notification"
PUBLISHES = (UserNotified, EmailRequested, SmsRequested, WebhookRequested)
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The ways out of the mall."""

    mail: SmtpMail
    sms: SmsGateway
    webhook: HttpWebhook


def groups(*, hub: Hub, ways: Ways, instance: str, readership: Readership) -> list[Group]:
    """The consumer groups: one writes inboxes, two send what was asked for, one per node feeds the node's sockets."""
    return [
        Group("notification-service", inbox_handlers(readership), dead_letter=DEAD_LETTER),
        # Apart: a mail server that is away pauses its group, and neither inboxes nor calls wait for it.
        Group(
            "notification-mail",
            mail_handlers(ways.mail),
            dead_letter=DEAD_LETTER,
            retry=RETRY,
            workers=AT_ONCE,
            drain=DRAIN,
        ),
        Group(
            "notification-delivery",
            other_handlers(sms=ways.sms, webhook=ways.webhook),
            dead_letter=DEAD_LETTER,
            retry=RETRY,
            drain=DRAIN,
        ),
        # A node's group is nobody else's: retry topics of its own would outlive it.
        Group(f"notification-push-{instance}", push_handlers(hub), dead_letter=DEAD_LETTER, has_retry_topics=False),
    ]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts, hub = Assembly(SERVICE, env, metadata=metadata, now=now), Hub()
    settings = parts.settings
    ways = Ways(
        mail=SmtpMail(host=settings.smtp_host, port=settings.smtp_port),
        sms=FileSms(settings.sms_file),
        webhook=HttpWebhook(may_be_loopback=settings.webhook_allow_loopback),
    )
    readership = Readership(locale=settings.locale, admins=settings.admin_user_ids)
    own = groups(hub=hub, ways=ways, instance=settings.instance, readership=readership)
    redis = open_redis(settings.redis_url)
    delay = DelayQueue(due_times=RedisDelays(redis), workers={QUEUE: unread_worker(now=now)})
    runtime = parts.runtime(own, publishes=PUBLISHES, delay=delay)
    state = {
        "desk": parts.desk(runtime),
        "hub": hub,
        "allowed_origins": settings.allowed_origins,
        "new_ticket": partial(secrets.token_urlsafe, SECRET_BYTES),
        "new_secret": partial(secrets.token_urlsafe, SECRET_BYTES),
        "webhook_allow_loopback": settings.webhook_allow_loopback,
    }
    return parts.app(runtime, routers=[api.routes, socket.routes], state=state, redis=redis), settings
