"""Puts the notification service together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from fastapi import FastAPI

from mall.notification import api, socket
from mall.notification.handlers import inbox_handlers, push_handlers
from mall.notification.hub import Hub
from mall.notification.tables import metadata
from mall.service import Assembly
from mall.settings import Settings
from mall_events.notification import UserNotified
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "notification", "dlq.notification"
PUBLISHES = (UserNotified,)
TICKET_BYTES = 32


def groups(*, hub: Hub, instance: str, locale: str) -> list[Group]:
    """The consumer groups: one writes inboxes, one per node feeds the node's sockets."""
    return [
        Group("notification-service", inbox_handlers(locale=locale), dead_letter=DEAD_LETTER),
        # A node's group is nobody else's: retry topics of its own would outlive it.
        Group(f"notification-push-{instance}", push_handlers(hub), dead_letter=DEAD_LETTER, has_retry_topics=False),
    ]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts, hub = Assembly(SERVICE, env, metadata=metadata, now=now), Hub()
    settings = parts.settings
    own = groups(hub=hub, instance=settings.instance, locale=settings.locale)
    runtime = parts.runtime(own, publishes=PUBLISHES)
    state = {
        "desk": parts.desk(runtime),
        "hub": hub,
        "allowed_origins": settings.allowed_origins,
        "new_ticket": partial(secrets.token_urlsafe, TICKET_BYTES),
    }
    return parts.app(runtime, routers=[api.routes, socket.routes], state=state), settings
