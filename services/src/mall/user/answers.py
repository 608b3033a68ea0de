"""Accounts as their owners and administrators see them; a password or its hash is in none of them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from mall.user.domain import Account
from mall.user.tables import UserRow


class RegisteredAnswer(BaseModel):
    """A new account."""

    user_id: int
    username: str
    email: str
    locale: str
    created_at: datetime


class TokenAnswer(BaseModel):
    """A token; it is sent as `Authorization: Bearer <token>`."""

    token: str
    token_type: str = "Bearer"  # noqa: S105  # RFC 6750's name of the scheme, no secret
    expires_at: datetime
    user_id: int


class AccountAnswer(BaseModel):
    """One's own account."""

    user_id: int
    username: str
    email: str
    phone: str | None
    locale: str
    bio: str
    status: str
    version: int
    last_login_at: datetime | None
    created_at: datetime


class StatusAnswer(BaseModel):
    """The status of an account, for administrators."""

    user_id: int
    status: str
    version: int


def account_answer(account: Account, row: UserRow) -> AccountAnswer:
    """The account of a written row."""
    return AccountAnswer(
        user_id=account.user_id,
        username=account.username,
        email=account.email,
        phone=account.phone,
        locale=account.locale,
        bio=account.bio,
        status=account.status.name,
        version=account.version,
        last_login_at=row.last_login_at,
        created_at=row.created_at,
    )


def status_answer(account: Account) -> StatusAnswer:
    """The account's status."""
    return StatusAnswer(user_id=account.user_id, status=account.status.name, version=account.version)
