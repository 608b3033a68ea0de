"""Puts the audit service together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import FastAPI

from mall.audit import api
from mall.audit.handlers import audit_handlers
from mall.audit.tables import metadata
from mall.service import Assembly
from mall.settings import Settings
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "audit", "dlq.audit"


def groups(*, now: Callable[[], datetime]) -> list[Group]:
    """The consumer group of the service."""
    return [Group("admin-service", audit_handlers(now=now), dead_letter=DEAD_LETTER)]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts = Assembly(SERVICE, env, metadata=metadata, now=now)
    runtime = parts.runtime(groups(now=now))
    return parts.app(runtime, routers=[api.routes], state={"desk": parts.desk(runtime)}), parts.settings
