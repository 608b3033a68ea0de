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


class ContactRow(Tables, table=True):
    """Where a user is reached, and in which language: a copy from user.events; of a deleted user the version alone."""

    __tablename__ = "contact"

    user_id: int = Field(primary_key=True, sa_type=BigInteger)
    email: str
    phone: str | None = None
    locale: str
    version: int = Field(sa_type=BigInteger)


class WebhookRow(Tables, table=True):
    """A system of a user's own that is told about events; the secret signs what it is told."""

    __tablename__ = "webhook"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(), primary_key=True))
    user_id: int = Field(sa_type=BigInteger, unique=True)
    url: str
    secret: str
    created_at: datetime = Field(sa_type=Moment)


class DeliveryRow(Tables, table=True):
    """A mail, a text message or a call that is done: `sent`, or given up with the reason."""

    __tablename__ = "delivery"

    notification_key: str = Field(primary_key=True)
    channel: str
    outcome: str
    detail: str = ""
    at: datetime = Field(sa_type=Moment)


class TicketRow(Tables, table=True):
    """A ticket for one WebSocket connection; only its hash is kept."""

    __tablename__ = "ws_ticket"

    digest: str = Field(primary_key=True)
    user_id: int = Field(sa_type=BigInteger)
    expires_at: datetime = Field(sa_type=Moment)
