"""Signing in: who may, what the answer gives away, and what is told about it.

Law 1: a wrong password and a name that nobody has take the same way: one hash, one row, one answer.
Law 2: what was verified before the transaction is verified again in it, against the hash that was used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from mall.errors import Refusal, Unauthorized
from mall.identity import Identity
from mall.limits import Limits
from mall.user import events, store
from mall.user.accounts import own
from mall.user.domain import bucket_of, likeness
from mall.user.passwords import Passwords
from mall.user.tokens import TOKEN_FOR, Claims
from mall.work import Desk, Work
from mall_events.user import UserStatus

PER_ADDRESS, PER_NAME = 10, 30
"""Attempts in a minute: from one address; for one name, from anywhere."""
SESSION_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Where a request comes from."""

    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A name, the password that is to prove it, and the device that both were typed into."""

    username: str
    password: str
    device_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What signing in needs besides the desk."""

    passwords: Passwords
    limits: Limits
    new_session_id: Callable[[], UUID]
    admins: frozenset[int]


async def sign_in(desk: Desk, door: Door, *, proof: Proof, caller: Caller) -> Claims:
    """The claims of a new session; raises Unauthorized, Refusal for a suspended account, TooManyRequests."""
    await door.limits.spend(f"login:{bucket_of(caller.ip)}", per_minute=PER_ADDRESS)
    await door.limits.spend(f"login-name:{_digest(proof.username)}", per_minute=PER_NAME)
    async with desk.look() as session:
        row = await store.find_by_name(session, proof.username)
    stored = row.password_hash if row is not None and row.password_hash else door.passwords.nobody
    fits = await door.passwords.fits(proof.password, stored)
    async with desk.open() as work:
        claims = await _begin(work, door, row.id, stored=stored, proof=proof, caller=caller) if row and fits else None
        if claims is None:
            await store.add_failure(work.session, row.id if row else None, now=work.now)
    if claims is None:
        raise Unauthorized("The name or the password is wrong.")
    return claims


async def _begin(
    work: Work, door: Door, user_id: int | None, *, stored: str, proof: Proof, caller: Caller
) -> Claims | None:
    row = await store.find_user(work.session, user_id or 0, lock=True)
    if row is None or row.id is None or row.password_hash != stored or row.status == UserStatus.DELETED.name:
        return None
    if row.status == UserStatus.SUSPENDED.name:
        raise Refusal("account_suspended", "This account is suspended.", next_step="Answer the mail that told you so.")
    session_id = door.new_session_id()
    await store.add_session(
        work.session, session_id=session_id, user_id=row.id, expires_at=work.now + SESSION_FOR, now=work.now
    )
    work.stage(
        events.logged_in(row.id, ip=caller.ip, user_agent=caller.user_agent, device_id=proof.device_id, now=work.now)
    )
    return _claims(work, row.id, session_id, door)


async def renew(work: Work, door: Door, *, who: Identity) -> Claims:
    """The claims of a fresh token for the caller's session; raises Unauthorized once it has ended."""
    if who.session_id is None:
        raise Unauthorized("This token belongs to no session.")
    await own(work.session, who, now=work.now)
    return _claims(work, who.user_id, who.session_id, door)


def _claims(work: Work, user_id: int, session_id: UUID, door: Door) -> Claims:
    return Claims(
        user_id=user_id,
        session_id=session_id,
        is_admin=user_id in door.admins,
        begins=work.now,
        ends=work.now + TOKEN_FOR,
    )


def _digest(username: str) -> str:
    # A name is whatever was typed: a key of Redis has one length and holds nobody's data.
    return hashlib.sha256(likeness(username).encode()).hexdigest()
