"""Group `usercenter`: what follows from the life of an account, after the request was answered."""

from __future__ import annotations

from mall.user import events, store
from mall.user.domain import Account, erased_name, is_unusual, likeness, network_of
from mall.user.tables import LoginRow, SecurityRow, UserRow
from mall_events.user import (
    UserActivity,
    UserDeleted,
    UserLoggedIn,
    UserPasswordChanged,
    UserRegistered,
    UserStatus,
    UserStatusChanged,
    UserUpdated,
)
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

SHOWN_AGENT = 80
"""Characters of a client's name in a mail: what a stranger sent is no room for a letter."""
handlers = Handlers()
on = handlers.on


@on(UserRegistered)
async def welcome(event: UserRegistered, context: Context) -> None:
    """Welcome by mail, and give the account a profile."""
    context.stage(events.activity(event.user_id, UserActivity.REGISTERED, now=event.event_time))
    if await _living(context, event.user_id) is None:
        return
    await store.add_default_profile(context.session, event.user_id, now=event.event_time)
    account = Account(user_id=event.user_id, username=event.username, email=event.email, locale=event.locale)
    _mail(context, account, "welcome", {"username": event.username})


@on(UserLoggedIn)
async def note_login(event: UserLoggedIn, context: Context) -> None:
    """Log the sign-in; tell the owner about an unusual one."""
    session, at = context.session, event.event_time
    row, activity = await _living(context, event.user_id), UserActivity.LOGGED_IN
    if row is not None:
        network = network_of(event.ip)
        facts = await store.login_facts(
            session, user_id=event.user_id, network=network, user_agent=event.user_agent, at=at
        )
        await store.add_login(session, _login(event, network))
        row.last_login_at = max(row.last_login_at or at, at)
        if is_unusual(facts):
            activity = UserActivity.UNUSUAL_LOGIN
            store.add_security(session, SecurityRow(user_id=event.user_id, at=at, kind="unusual_login", ip=event.ip))
            parameters = {"time": f"{at:%Y-%m-%d %H:%M} UTC", "ip": event.ip, "client": event.user_agent[:SHOWN_AGENT]}
            _mail(context, row.value(None), "unusual_login", parameters)
    context.stage(events.activity(event.user_id, activity, now=at))


@on(UserPasswordChanged)
async def confirm_password_change(event: UserPasswordChanged, context: Context) -> None:
    """Tell the owner, who may not be the one that changed it."""
    at = event.event_time
    context.stage(events.activity(event.user_id, UserActivity.PASSWORD_CHANGED, now=at))
    row = await _living(context, event.user_id)
    if row is None:
        return
    store.add_security(
        context.session,
        SecurityRow(user_id=event.user_id, at=at, kind="password_changed", ip=event.ip, detail=event.method.name),
    )
    _mail(context, _at(row, event.email), "password_changed", {"time": f"{at:%Y-%m-%d %H:%M} UTC"})


@on(UserStatusChanged)
async def explain_status(event: UserStatusChanged, context: Context) -> None:
    """Tell the owner what the account may do now, and why."""
    row = await _living(context, event.user_id)
    if row is None:
        return
    status = event.current_status
    store.add_security(
        context.session,
        SecurityRow(user_id=event.user_id, at=event.event_time, kind="status_changed", detail=status.name),
    )
    word = events.status_word(status, locale=row.locale)
    _mail(context, _at(row, event.email), "status_changed", {"status": word, "reason": event.reason or ""})


@on(UserUpdated)
async def note_edit(event: UserUpdated, context: Context) -> None:
    """Log which fields were edited, never their values."""
    if await _living(context, event.user_id) is not None:
        fields = " ".join(sorted(event.changes))
        store.add_security(
            context.session,
            SecurityRow(user_id=event.user_id, at=event.event_time, kind="profile_edited", detail=fields),
        )


@on(UserDeleted)
async def erase(event: UserDeleted, context: Context) -> None:
    """Erase what is known about the person, and say so once more by mail."""
    row = await store.find_user(context.session, event.user_id, lock=True)
    if row is None:
        return
    _mail(context, _at(row, event.email), "account_deleted", {})
    context.stage(events.activity(event.user_id, UserActivity.DELETED, now=event.event_time))
    name = erased_name(event.user_id)
    row.username, row.username_key, row.email, row.locale = name, likeness(name), "", ""
    row.last_login_at, row.updated_at = None, event.event_time
    await store.erase(context.session, event.user_id)


async def _living(context: Context, user_id: int) -> UserRow | None:
    # A retried event may come after the deletion: nothing about the person is written again.
    row = await store.find_user(context.session, user_id, lock=True)
    return None if row is None or row.status == UserStatus.DELETED.name else row


def _login(event: UserLoggedIn, network: str) -> LoginRow:
    return LoginRow(
        user_id=event.user_id,
        at=event.event_time,
        ip=event.ip,
        network=network,
        user_agent=event.user_agent,
        device_id=event.device_id,
    )


def _at(row: UserRow, email: str) -> Account:
    return Account(user_id=row.id or 0, username=row.username, email=email, locale=row.locale)


def _mail(context: Context, account: Account, template: str, parameters: dict[str, str]) -> None:
    envelope = context.envelope
    context.stage(events.mail(account, template, event_id=envelope.id, parameters=parameters, now=envelope.time))
