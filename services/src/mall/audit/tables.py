"""The audit service's tables; the database itself refuses to change or delete an entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Connection, Index, MetaData, Table, event, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from mall.audit.domain import Entry, Sealed
from mall.columns import Moment

metadata = MetaData()


class Tables(SQLModel, registry=registry(metadata=metadata)):
    """The tables of this service, apart from other services'."""


class EntryRow(Tables, table=True):
    """One entry of the chain."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("audit_entry_by_resource", "resource", "resource_id", "sequence"),
        Index("audit_entry_by_actor", "actor", "sequence"),
    )

    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    previous_hash: str
    hash: str
    event_id: UUID = Field(unique=True)
    event_type: str
    at: datetime = Field(sa_type=Moment)
    actor: str
    action: str
    resource: str
    resource_id: str
    source: str
    outcome: str
    request_id: str | None = None
    before_hash: str | None = None
    after_hash: str | None = None
    detail: Mapping[str, str] = Field(sa_type=JSON)

    def value(self) -> Sealed:
        """The row as decisions see it."""
        place = {"sequence", "previous_hash", "hash"}
        entry = Entry(**self.model_dump(exclude=place))
        return Sealed(sequence=self.sequence, previous_hash=self.previous_hash, hash=self.hash, entry=entry)


class HeadRow(Tables, table=True):
    """The last entry: who appends locks it, so that the chain has one end."""

    __tablename__ = "audit_head"

    id: int = Field(primary_key=True)
    sequence: int = Field(sa_type=BigInteger)
    hash: str


class DeadLetterRow(Tables, table=True):
    """How many dead letters a service has written, by their cause."""

    __tablename__ = "dead_letter_count"

    service: str = Field(primary_key=True)
    cause: str = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)
    last_at: datetime = Field(sa_type=Moment)


APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, 'append only'); END",
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry BEGIN SELECT RAISE(ABORT, 'append only'); END",
    ),
    "postgresql": (
        (
            "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'append only'; END $$"
        ),
        (
            "CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        ),
    ),
}


@event.listens_for(metadata.tables["audit_entry"], "after_create")
def _append_only(_table: Table, connection: Connection, **_: object) -> None:
    for statement in APPEND_ONLY[connection.dialect.name]:
        connection.execute(text(statement))
