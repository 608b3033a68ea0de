"""Puts the user service together."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import FastAPI

from mall.limits import Limits
from mall.redis import open_redis
from mall.service import Assembly
from mall.settings import Settings
from mall.user import api, handlers
from mall.user.passwords import Passwords
from mall.user.signing_in import Door
from mall.user.tables import metadata
from mall.user.tokens import Signer
from mall_events.audit import AuditLogged
from mall_events.notification import EmailRequested
from mall_events.user import (
    UserActivityRecorded,
    UserDeleted,
    UserLoggedIn,
    UserPasswordChanged,
    UserRegistered,
    UserStatusChanged,
    UserUpdated,
)
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "user", "dlq.user"
PUBLISHES = (
    UserRegistered,
    UserLoggedIn,
    UserPasswordChanged,
    UserStatusChanged,
    UserDeleted,
    UserUpdated,
    UserActivityRecorded,
    EmailRequested,
    AuditLogged,
)


def groups() -> list[Group]:
    """The consumer group of the service."""
    return [Group("usercenter", handlers.handlers, dead_letter=DEAD_LETTER)]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts = Assembly(SERVICE, env, metadata=metadata, now=now)
    settings = parts.settings
    redis = open_redis(settings.redis_url)
    runtime = parts.runtime(groups(), publishes=PUBLISHES)
    door = Door(
        passwords=Passwords(random=os.urandom),
        limits=Limits(redis, now=now),
        new_session_id=uuid.uuid4,
        admins=settings.admin_user_ids,
    )
    signer = Signer(settings.private_key, public_key_pem=settings.public_key)
    state = {"desk": parts.desk(runtime), "door": door, "signer": signer}
    return parts.app(runtime, routers=[api.routes], state=state, redis=redis), settings
