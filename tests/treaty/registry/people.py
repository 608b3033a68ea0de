"""People who use a registry in tests: made as an operator makes them, asked as clients ask."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import httpx

from treaty.registry.guard.administration import Administration
from treaty.registry.stores.protocol import Store

ROLES = ("reader", "writer", "maintainer", "admin")


def administration(store: Store, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Administration:
    """The operator of a store."""
    return Administration(store, "ops", now, secrets.token_bytes)


def bearer(store: Store, name: str, *grants: tuple[str, str], lifetime: timedelta | None = None) -> Mapping[str, str]:
    """A new token of ``name`` as headers; ``grants``: (role, pattern)."""
    operator = administration(store)
    for role, pattern in grants:
        operator.add_grant(name, role, pattern)
    return {"Authorization": f"Bearer {operator.add_token(name, lifetime=lifetime)}"}


def as_answered(answer: httpx.Response) -> tuple[int, bytes, Mapping[str, str]]:
    """All of an answer but what names the moment: status, bytes, headers."""
    moment = {"date", "x-request-id"}
    return answer.status_code, answer.content, {k: v for k, v in answer.headers.items() if k not in moment}
