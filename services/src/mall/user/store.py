"""Every query of the user service; sessions are passed in."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.upsert import insert
from mall.user.domain import Account, is_same_name, likeness
from mall.user.domain.logins import FAILURES_WITHIN, SEEN_WITHIN, LoginFacts
from mall.user.tables import LoginFailureRow, LoginRow, ProfileRow, SecurityRow, SessionRow, UserRow

LOGS_KEPT = timedelta(days=180)
FAILURES_KEPT = timedelta(days=1)


async def add_user(session: AsyncSession, row: UserRow) -> int | None:
    """Write a new account and answer its number; None if the name, or one that looks like it, is taken."""
    values = row.model_dump(exclude={"id"})
    written = insert(session, UserRow).values(values).on_conflict_do_nothing(index_elements=["username_key"])
    return await session.scalar(written.returning(col(UserRow.id)))


async def find_user(session: AsyncSession, user_id: int, *, lock: bool = False) -> UserRow | None:
    """The account's row, locked until the transaction ends if asked for."""
    query = select(UserRow).where(col(UserRow.id) == user_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def find_by_name(session: AsyncSession, username: str) -> UserRow | None:
    """The account of a name as its owner may spell it; a look-alike finds nobody."""
    row = await session.scalar(select(UserRow).where(col(UserRow.username_key) == likeness(username)))
    return row if row is not None and is_same_name(row.username, username) else None


async def rename(session: AsyncSession, row: UserRow, *, username: str) -> bool:
    """Give the account another name; False, with the transaction lost, if somebody has it or one that looks like it."""
    row.username, row.username_key = username, likeness(username)
    try:
        await session.flush()
    except IntegrityError:
        return False
    return True


async def profile_of(session: AsyncSession, user_id: int) -> ProfileRow | None:
    """What the user says about himself; None until the registration was handled."""
    return await session.get(ProfileRow, user_id)


async def save_profile(session: AsyncSession, account: Account, *, now: datetime) -> None:
    """Write the profile, whether or not it is there."""
    values = {"user_id": account.user_id, "phone": account.phone, "bio": account.bio, "updated_at": now}
    changes = {name: value for name, value in values.items() if name != "user_id"}
    written = insert(session, ProfileRow).values(values)
    await session.execute(written.on_conflict_do_update(index_elements=["user_id"], set_=changes))


async def add_default_profile(session: AsyncSession, user_id: int, *, now: datetime) -> None:
    """Write an empty profile unless the user was faster."""
    values = {"user_id": user_id, "phone": None, "bio": "", "updated_at": now}
    await session.execute(insert(session, ProfileRow).values(values).on_conflict_do_nothing())


# -- sessions


async def add_session(
    session: AsyncSession, *, session_id: UUID, user_id: int, expires_at: datetime, now: datetime
) -> None:
    """Write a session; expired ones of the user go."""
    mine = col(SessionRow.user_id) == user_id
    await session.execute(delete(SessionRow).where(mine, col(SessionRow.expires_at) <= now))
    session.add(SessionRow(id=session_id, user_id=user_id, created_at=now, expires_at=expires_at))


async def is_live(session: AsyncSession, session_id: UUID, *, user_id: int, now: datetime) -> bool:
    """Whether a session of the user goes on."""
    row = await session.get(SessionRow, session_id)
    return row is not None and row.user_id == user_id and now < row.expires_at


async def end_session(session: AsyncSession, session_id: UUID) -> None:
    """End one session; one that has ended stays so."""
    await session.execute(delete(SessionRow).where(col(SessionRow.id) == session_id))


async def end_sessions(session: AsyncSession, user_id: int, *, but: UUID | None = None) -> None:
    """End all sessions of a user, but the one that is asked from."""
    query = delete(SessionRow).where(col(SessionRow.user_id) == user_id)
    await session.execute(query if but is None else query.where(col(SessionRow.id) != but))


# -- logs


async def add_failure(session: AsyncSession, user_id: int | None, *, now: datetime) -> None:
    """Note a failed sign-in; old ones of everybody go."""
    await session.execute(delete(LoginFailureRow).where(col(LoginFailureRow.at) < now - FAILURES_KEPT))
    session.add(LoginFailureRow(user_id=user_id, at=now))


async def login_facts(
    session: AsyncSession, *, user_id: int, network: str, user_agent: str, at: datetime
) -> LoginFacts:
    """What the logs say about a sign-in at `at` that is not yet among them."""
    mine = col(LoginRow.user_id) == user_id
    lately = exists().where(mine, col(LoginRow.at) >= at - SEEN_WITHIN)
    failed = select(func.count()).where(
        col(LoginFailureRow.user_id) == user_id,
        col(LoginFailureRow.at) >= at - FAILURES_WITHIN,
        col(LoginFailureRow.at) <= at,
    )
    return LoginFacts(
        is_first=not await session.scalar(select(exists().where(mine))),
        is_network_seen=bool(await session.scalar(select(lately.where(col(LoginRow.network) == network)))),
        is_agent_seen=bool(await session.scalar(select(lately.where(col(LoginRow.user_agent) == user_agent)))),
        failures=int(await session.scalar(failed) or 0),
    )


async def add_login(session: AsyncSession, row: LoginRow) -> None:
    """Note a sign-in; what is older than half a year goes."""
    old = col(LoginRow.at) < row.at - LOGS_KEPT
    await session.execute(delete(LoginRow).where(col(LoginRow.user_id) == row.user_id, old))
    session.add(row)


def add_security(session: AsyncSession, row: SecurityRow) -> None:
    """Note something that the owner or security staff may ask about."""
    session.add(row)


async def erase(session: AsyncSession, user_id: int) -> None:
    """Drop everything about a user but the row of the account."""
    for table in (ProfileRow, SessionRow, LoginRow, LoginFailureRow, SecurityRow):
        await session.execute(delete(table).where(col(table.user_id) == user_id))
