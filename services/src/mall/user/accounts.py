"""Carries out what people and administrators do to accounts: each in the caller's transaction, with its event.

Law: sessions end in the transaction that ends their right: from its commit on, this service answers them 401.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from mall.errors import NotFound, Refusal, Unauthorized
from mall.identity import Identity
from mall.user import events, store
from mall.user.domain import Account, Refused, Unchanged, change_status, edit, likeness
from mall.user.tables import UserRow
from mall.work import Work
from mall_events.user import UserStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An account that somebody wants to open."""

    username: str
    email: str
    locale: str


def username_taken(username: str) -> Refusal:
    """The refusal of a name that somebody has, or that would be mixed up with somebody's."""
    return Refusal(
        "username_taken",
        f"Somebody is called {username}, or so alike that readers would mix you up.",
        next_step="Choose another name.",
    )


async def register(work: Work, *, wanted: Wanted, password_hash: str) -> UserRow:
    """Open an account; raises Refusal if the name is taken."""
    row = UserRow(
        username=wanted.username,
        username_key=likeness(wanted.username),
        email=wanted.email,
        locale=wanted.locale,
        password_hash=password_hash,
        created_at=work.now,
        updated_at=work.now,
    )
    row.id = await store.add_user(work.session, row)
    if row.id is None:
        raise username_taken(wanted.username)
    work.stage(events.registered(row.value(None), now=work.now))
    return row


async def check_session(session: AsyncSession, who: Identity, *, now: datetime) -> None:
    """Raise Unauthorized if the token's session has ended; a token signed by hand has none."""
    if who.session_id is not None and not await store.is_live(session, who.session_id, user_id=who.user_id, now=now):
        raise Unauthorized("You have signed out, or your password or status was changed.")


async def own(session: AsyncSession, who: Identity, *, now: datetime, lock: bool = False) -> tuple[UserRow, Account]:
    """The caller's account, locked if asked for; raises Unauthorized once it is out of use or the session has ended."""
    row = await store.find_user(session, who.user_id, lock=lock)
    await check_session(session, who, now=now)
    if row is None or row.status != UserStatus.ACTIVE.name:
        raise Unauthorized("There is no such account in use.")
    return row, row.value(await store.profile_of(session, who.user_id))


async def save_edit(work: Work, *, who: Identity, wanted: Mapping[str, str | None]) -> tuple[UserRow, Account]:
    """Edit the caller's profile; raises Refusal if the new name is taken."""
    row, account = await own(work.session, who, now=work.now, lock=True)
    outcome = edit(account, wanted)
    if isinstance(outcome, Unchanged):
        return row, account
    after = outcome.account
    row.email, row.locale = after.email, after.locale
    row.version, row.updated_at = after.version, work.now
    if not await store.rename(work.session, row, username=after.username):
        raise username_taken(after.username)
    await store.save_profile(work.session, after, now=work.now)
    work.stage(events.updated(outcome, now=work.now, operator=who.operator))
    return row, after


async def set_password(work: Work, *, who: Identity, ip: str, verified_hash: str, new_hash: str) -> None:
    """Change the caller's password, if it is still the one that was verified; all other sessions end."""
    row, account = await own(work.session, who, now=work.now, lock=True)
    if row.password_hash != verified_hash:
        raise Unauthorized("The password was changed meanwhile.")
    row.password_hash, row.updated_at = new_hash, work.now
    await store.end_sessions(work.session, account.user_id, but=who.session_id)
    work.stage(events.password_changed(account, ip=ip, now=work.now))


async def set_status(work: Work, *, user_id: int, to: UserStatus, who: Identity, reason: str | None) -> Account:
    """Suspend, unlock or delete an account; sessions end unless it is in use again."""
    row = await store.find_user(work.session, user_id, lock=True)
    await check_session(work.session, who, now=work.now)
    if row is None:
        raise NotFound
    step = change_status(row.value(await store.profile_of(work.session, user_id)), to)
    if isinstance(step, Refused):
        raise Refusal("illegal_transition", step.message, next_step="Read the account again.")
    row.status, row.version, row.updated_at = to.name, step.account.version, work.now
    if to is UserStatus.DELETED:
        row.password_hash = ""
    if to is not UserStatus.ACTIVE:
        await store.end_sessions(work.session, user_id)
    work.stage(events.status_changed(step, reason=reason, now=work.now, operator=who.operator))
    if who.is_admin:
        work.stage(events.audited(step, now=work.now, operator=who.operator))
    return step.account
