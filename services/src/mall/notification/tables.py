"""The notification service's tables."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, MetaData, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from mall.columns import BigId, Moment

metadata = MetaData()


class Tables(SQLModel, registry=registry(metadata=metadata)):
    """The tables of this service, apart from other services'."""


class NotificationRow(Tables, table=True):
    """One line in one user's inbox; numbered per user from 1 without gaps."""

    __tablename__ = "notification"
    __table_args__ = (
        # For ever, beyond the life of the runtime's inbox rows: a replay of last year tells nobody twice.
        UniqueConstraint("event_id", "user_id", "kind"),
        UniqueConstraint("user_id", "sequence"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(), primary_key=True))
    user_id: int = Field(sa_type=BigInteger)
    sequence: int = Field(sa_type=BigInteger)
    event_id: UUID
    kind: str
    title: str
    body: str
    link: str | None = None
    created_at: datetime = Field(sa_type=Moment)
    read_at: datetime | None = Field(default=None, sa_type=Moment)


class SequenceRow(Tables, table=True):
    """The number of a user's newest notification."""

    __tablename__ = "notification_sequence"

    user_id: int = Field(primary_key=True, sa_type=BigInteger)
    last: int = Field(sa_type=BigInteger)


class TicketRow(Tables, table=True):
    """A ticket for one WebSocket connection; only its hash is kept."""

    __tablename__ = "ws_ticket"

    digest: str = Field(primary_key=True)
    user_id: int = Field(sa_type=BigInteger)
    expires_at: datetime = Field(sa_type=Moment)
