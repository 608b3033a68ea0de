"""What the user service tells: pure functions from accounts and decisions to events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from mall.user.domain import Account, Changed, Edited
from mall_events.audit import AuditLogged, AuditOutcome
from mall_events.notification import EmailRequested
from mall_events.user import (
    PasswordChangeMethod,
    UserActivity,
    UserActivityRecorded,
    UserDeleted,
    UserLoggedIn,
    UserPasswordChanged,
    UserRegistered,
    UserStatus,
    UserStatusChanged,
    UserUpdated,
)

SYSTEM = "system:user"
ACTIONS = {UserStatus.ACTIVE: "unlock", UserStatus.SUSPENDED: "suspend", UserStatus.DELETED: "delete"}
STATUS_WORDS: Mapping[tuple[UserStatus, str], str] = {
    (UserStatus.ACTIVE, "en"): "in use again",
    (UserStatus.ACTIVE, "zh"): "已恢复使用",
    (UserStatus.SUSPENDED, "en"): "suspended",
    (UserStatus.SUSPENDED, "zh"): "已被停用",
}


def registered(account: Account, *, now: datetime) -> UserRegistered:
    """The event of a new account."""
    return UserRegistered(
        user_id=account.user_id,
        username=account.username,
        email=account.email,
        locale=account.locale,
        event_time=now,
        operator=f"user:{account.user_id}",
    )


def logged_in(user_id: int, *, ip: str, user_agent: str, device_id: str | None, now: datetime) -> UserLoggedIn:
    """The event of a sign-in."""
    return UserLoggedIn(
        user_id=user_id,
        ip=ip,
        user_agent=user_agent,
        device_id=device_id,
        event_time=now,
        operator=f"user:{user_id}",
    )


def password_changed(account: Account, *, ip: str, now: datetime) -> UserPasswordChanged:
    """The event of a password that its owner changed."""
    return UserPasswordChanged(
        user_id=account.user_id,
        email=account.email,
        ip=ip,
        method=PasswordChangeMethod.SELF,
        event_time=now,
        operator=f"user:{account.user_id}",
    )


def updated(step: Edited, *, now: datetime, operator: str) -> UserUpdated:
    """The event of an edited profile."""
    account = step.account
    return UserUpdated(
        user_id=account.user_id,
        user_version=account.version,
        username=account.username,
        email=account.email,
        phone=account.phone,
        locale=account.locale,
        changes=dict(step.changes),
        event_time=now,
        operator=operator,
    )


def status_changed(
    step: Changed, *, reason: str | None, now: datetime, operator: str
) -> UserStatusChanged | UserDeleted:
    """The event of a new status; deletion has its own."""
    account = step.account
    if account.status is UserStatus.DELETED:
        return UserDeleted(
            user_id=account.user_id,
            user_version=account.version,
            email=account.email,
            reason=reason,
            event_time=now,
            operator=operator,
        )
    return UserStatusChanged(
        user_id=account.user_id,
        user_version=account.version,
        email=account.email,
        previous_status=step.previous,
        current_status=account.status,
        reason=reason,
        event_time=now,
        operator=operator,
    )


def audited(step: Changed, *, now: datetime, operator: str) -> AuditLogged:
    """What an administrator did to an account, to be answered for."""
    return AuditLogged(
        actor=operator,
        action=ACTIONS[step.account.status],
        resource="user",
        resource_id=str(step.account.user_id),
        source="user",
        outcome=AuditOutcome.OK,
        detail={"from": step.previous.name, "to": step.account.status.name},
        event_time=now,
        operator=operator,
    )


def activity(user_id: int, what: UserActivity, *, now: datetime) -> UserActivityRecorded:
    """What is counted: that somebody did something, never from where."""
    return UserActivityRecorded(user_id=user_id, activity=what, event_time=now, operator=SYSTEM)


def mail(
    account: Account, template: str, *, event_id: UUID, parameters: Mapping[str, str], now: datetime
) -> EmailRequested:
    """A mail about an event to an account's address; the same event asks for it under the same key."""
    return EmailRequested(
        notification_key=f"{event_id}:{template}:{account.user_id}",
        user_id=account.user_id,
        to_address=account.email,
        template=template,
        locale=account.locale,
        parameters=dict(parameters),
        event_time=now,
        operator=SYSTEM,
    )


def status_word(status: UserStatus, *, locale: str) -> str:
    """A status in the reader's language."""
    return STATUS_WORDS.get((status, locale), status.name)
