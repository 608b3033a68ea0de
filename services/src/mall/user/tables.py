"""The user service's tables."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Connection, Identity, Index, MetaData, Table, event, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from mall.columns import BigId, Moment
from mall.idempotency import IdempotencyKeys
from mall.user.domain import Account
from mall_events.user import UserStatus

metadata = MetaData()
idempotency_keys = IdempotencyKeys(metadata)
FIRST_USER_ID = 100_001
"""Lower numbers are given by hand: whoever registers first must not become the administrator with number 1."""


class Tables(SQLModel, registry=registry(metadata=metadata)):
    """The tables of this service, apart from other services'."""


class UserRow(Tables, table=True):
    """One account. `username_key` is the likeness of the name, which nobody else may have."""

    __tablename__ = "users"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(start=FIRST_USER_ID), primary_key=True))
    username: str
    username_key: str = Field(unique=True)
    email: str
    locale: str
    password_hash: str
    status: str = UserStatus.ACTIVE.name
    version: int = Field(default=1, sa_type=BigInteger)
    last_login_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)

    def value(self, profile: ProfileRow | None) -> Account:
        """The row as decisions see it; the row must have been written."""
        if self.id is None:
            raise ValueError("The account was not written yet; flush the session first.")
        return Account(
            user_id=self.id,
            username=self.username,
            email=self.email,
            locale=self.locale,
            phone=profile.phone if profile else None,
            bio=profile.bio if profile else "",
            status=UserStatus[self.status],
            version=self.version,
        )


class ProfileRow(Tables, table=True):
    """What a user says about himself; written with defaults once the registration is handled."""

    __tablename__ = "user_profile"

    user_id: int = Field(primary_key=True, sa_type=BigInteger)
    phone: str | None = None
    bio: str = ""
    updated_at: datetime = Field(sa_type=Moment)


class SessionRow(Tables, table=True):
    """A signed-in device; its tokens carry the id as `sid`."""

    __tablename__ = "session"

    id: UUID = Field(primary_key=True)
    user_id: int = Field(sa_type=BigInteger, index=True)
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)


class LoginRow(Tables, table=True):
    """A sign-in with success."""

    __tablename__ = "login_log"
    __table_args__ = (Index("login_log_by_user", "user_id", "at"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(), primary_key=True))
    user_id: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    ip: str
    network: str
    user_agent: str
    device_id: str | None = None


class LoginFailureRow(Tables, table=True):
    """A sign-in that failed; of an account that does not exist too, so that both take the same time."""

    __tablename__ = "login_failure"
    __table_args__ = (Index("login_failure_by_user", "user_id", "at"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(), primary_key=True))
    user_id: int | None = Field(default=None, sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment, index=True)


class SecurityRow(Tables, table=True):
    """Something about an account that its owner or security staff may ask about."""

    __tablename__ = "security_log"
    __table_args__ = (Index("security_log_by_user", "user_id", "at"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(), primary_key=True))
    user_id: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    kind: str
    ip: str | None = None
    detail: str = ""


@event.listens_for(metadata.tables["users"], "after_create")
def _count_from_first_id(_table: Table, connection: Connection, **_: object) -> None:
    # SQLite counts from the largest id it remembers; Postgres has it from Identity above.
    if connection.dialect.name == "sqlite":
        remember = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('users', :last)")
        connection.execute(remember, {"last": FIRST_USER_ID - 1})
