"""The tables the runtime keeps in a service's database, next to the service's own.

The outbox has the column names of Debezium's outbox event router, and its rows are only inserted and deleted, so that
a change-data-capture connector can take the relay's place without a migration.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement

from treaty_runtime.sql.sqltext import CLOCKS

LAYOUT = 3
"""Version of the tables below; table `treaty_layout` holds the one a database has."""


class Timestamp(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite, which has no such type, keeps it as text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Send UTC: SQLite would drop the zone and keep the local hour."""
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Give UTC back, whatever zone the connection has."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class database_now(ColumnElement[datetime]):  # noqa: N801  # reads as the SQL function it is
    """The database's clock: leases and due times never trust a host's."""

    type = Timestamp()
    inherit_cache = True


@compiles(database_now)
def _standard_now(_element: database_now, _compiler: SQLCompiler, **_: object) -> str:
    return CLOCKS["postgresql"].now


@compiles(database_now, "sqlite")
def _sqlite_now(_element: database_now, _compiler: SQLCompiler, **_: object) -> str:
    return f"({CLOCKS['sqlite'].now})".replace("\\:", ":")


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, postgresql_where=text(where), sqlite_where=text(where))


_POSITION = BigInteger().with_variant(Integer, "sqlite")


class Tables(DeclarativeBase):
    """Declares the runtime's tables on metadata of their own, apart from the service's."""

    metadata = MetaData()
    type_annotation_map = {datetime: Timestamp, UUID: Uuid, str: Text, bytes: LargeBinary}  # noqa: RUF012  # SQLAlchemy's name


class LayoutRow(Tables):
    """Which layout of these tables the database has, and how many lanes its outbox was made with."""

    __tablename__ = "treaty_layout"
    part: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)


class OutboxRow(Tables):
    """One staged event, waiting for the relay."""

    __tablename__ = "outbox"
    position: Mapped[int] = mapped_column(_POSITION, Identity(), primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    aggregatetype: Mapped[str] = mapped_column(String(255))
    aggregateid: Mapped[str] = mapped_column(String(512))
    type: Mapped[str] = mapped_column(String(255))
    dataschema: Mapped[str] = mapped_column(String(255))
    payload: Mapped[bytes]
    headers: Mapped[str]
    tracingspancontext: Mapped[str | None]
    lane: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=database_now())
    __table_args__ = (
        # AUTOINCREMENT: a position is never given twice, even when the newest row was deleted before the next insert.
        {"sqlite_autoincrement": True},
    )


class LaneRow(Tables):
    """Who sends the rows of a lane, until when; `epoch` counts the owners and fences the former ones."""

    __tablename__ = "outbox_lane"
    lane: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    owner: Mapped[str | None] = mapped_column(String(128))
    epoch: Mapped[int] = mapped_column(BigInteger, default=0)
    until: Mapped[datetime | None]


class RelayRow(Tables):
    """A relay and when it was last seen: the lanes are shared out among the live ones."""

    __tablename__ = "outbox_relay"
    owner: Mapped[str] = mapped_column(String(128), primary_key=True)
    seen: Mapped[datetime]


class FailedRow(Tables):
    """An outbox row that the broker refuses; later rows of its key wait until it is retried or discarded."""

    __tablename__ = "outbox_failed"
    position: Mapped[int] = mapped_column(_POSITION, primary_key=True, autoincrement=False)
    aggregateid: Mapped[str] = mapped_column(String(512), index=True)
    attempts: Mapped[int] = mapped_column(Integer, default=1)
    code: Mapped[str] = mapped_column(String(64))
    error: Mapped[str]
    failed_at: Mapped[datetime] = mapped_column(server_default=database_now())
    overtaken: Mapped[bool] = mapped_column(default=False)


class SentRow(Tables):
    """What a relay with `keep` has sent: the row as it was staged, where it lies now, and since when."""

    __tablename__ = "outbox_sent"
    position: Mapped[int] = mapped_column(_POSITION, primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(index=True)
    aggregatetype: Mapped[str] = mapped_column(String(255))
    aggregateid: Mapped[str] = mapped_column(String(512))
    type: Mapped[str] = mapped_column(String(255))
    dataschema: Mapped[str] = mapped_column(String(255))
    payload: Mapped[bytes]
    headers: Mapped[str]
    tracingspancontext: Mapped[str | None]
    lane: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime] = mapped_column(server_default=database_now())
    partition: Mapped[int] = mapped_column(Integer)
    offset: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (Index("outbox_sent_at", "sent_at"),)


class InboxRow(Tables):
    """An event that a consumer has handled: written in the transaction of its effects."""

    __tablename__ = "inbox"
    consumer: Mapped[str] = mapped_column(String(255), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(255))
    partition: Mapped[int] = mapped_column(Integer)
    offset: Mapped[int] = mapped_column(BigInteger)
    handled_at: Mapped[datetime] = mapped_column(server_default=database_now())
    __table_args__ = (Index("inbox_handled_at", "handled_at"),)  # old ones are found by it


class HeldRow(Tables):
    """A record that waits behind a failed one of its key; `offset` orders the rows of a partition."""

    __tablename__ = "held"
    consumer: Mapped[str] = mapped_column(String(255), primary_key=True)
    topic: Mapped[str] = mapped_column(String(255), primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[bytes | None]
    value: Mapped[bytes | None]
    headers: Mapped[str]
    timestamp_ms: Mapped[int] = mapped_column(BigInteger)
    is_log_append_time: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime | None]
    begun: Mapped[int] = mapped_column(Integer, default=0)


class DelayedRow(Tables):
    """A job and when it is due; Redis only says when to look."""

    __tablename__ = "delayed"
    queue: Mapped[str] = mapped_column(String(128), primary_key=True)
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    due_at: Mapped[datetime]
    payload: Mapped[bytes]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    done_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    __table_args__ = (
        # Done jobs stay for a week: who looks for the few that wait must not pass them by.
        _partial("delayed_waiting", "queue", "due_at", where="done_at IS NULL AND failed_at IS NULL"),
        _partial("delayed_done", "done_at", where="done_at IS NOT NULL"),
    )

    law = "add"
    """What the scheduler's flush does with a new row: add, replace or cancel. No column."""
