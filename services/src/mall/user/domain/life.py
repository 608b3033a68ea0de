"""The life of an account: in use, suspended, deleted.

Law 1: a transition that is not in `TRANSITIONS` is refused, with both states named; a deleted account stays so.
Law 2: every transition and every edit that changes something raises the version by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mall_events.user import UserStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account, as decisions see it."""

    user_id: int
    username: str
    email: str
    locale: str
    phone: str | None = None
    bio: str = ""
    status: UserStatus = UserStatus.ACTIVE
    version: int = 1


@dataclass(frozen=True, slots=True)
class Changed:
    """The account in its new status."""

    account: Account
    previous: UserStatus


@dataclass(frozen=True, slots=True)
class Edited:
    """The account after an edit, and the new value of each changed field as text; a removed one is empty."""

    account: Account
    changes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The edit says what was so already."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The account's status does not allow that."""

    message: str


TRANSITIONS = frozenset(
    {
        (UserStatus.ACTIVE, UserStatus.SUSPENDED),
        (UserStatus.SUSPENDED, UserStatus.ACTIVE),
        (UserStatus.ACTIVE, UserStatus.DELETED),
        (UserStatus.SUSPENDED, UserStatus.DELETED),
    }
)
EDITABLE = ("username", "email", "phone", "locale", "bio")


def change_status(account: Account, to: UserStatus) -> Changed | Refused:
    """The account in status `to`, if it may go there."""
    if (account.status, to) not in TRANSITIONS:
        return Refused(f"Account {account.user_id} is {account.status.name}: it cannot become {to.name}.")
    return Changed(replace(account, status=to, version=account.version + 1), account.status)


def edit(account: Account, wanted: Mapping[str, str | None]) -> Edited | Unchanged:
    """The account with the `wanted` values of `EDITABLE` fields; None removes a phone number."""
    changed = {name: wanted[name] for name in EDITABLE if name in wanted and wanted[name] != getattr(account, name)}
    if not changed:
        return Unchanged()
    edited = replace(
        account,
        username=changed.get("username") or account.username,
        email=changed.get("email") or account.email,
        phone=changed.get("phone", account.phone),
        locale=changed.get("locale") or account.locale,
        bio=changed.get("bio", account.bio) or "",
        version=account.version + 1,
    )
    return Edited(edited, {name: value or "" for name, value in changed.items()})
