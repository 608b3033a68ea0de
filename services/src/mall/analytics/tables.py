"""The analytics service's tables."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Index, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from mall.columns import BigId, Moment
from mall.idempotency import IdempotencyKeys

metadata = MetaData()
idempotency_keys = IdempotencyKeys(metadata)


class Tables(SQLModel, registry=registry(metadata=metadata)):
    """The tables of this service, apart from other services'."""


class CounterRow(Tables, table=True):
    """What was counted in one minute."""

    __tablename__ = "counter"

    name: str = Field(primary_key=True)
    minute: datetime = Field(primary_key=True, sa_type=Moment)
    value: int = Field(sa_type=BigInteger)


class WarehouseRow(Tables, table=True):
    """An event that waits for its file: written with the inbox row, so it is there once."""

    __tablename__ = "warehouse_row"
    __table_args__ = (Index("warehouse_row_record", "record", "day", "number"),)

    number: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True))
    event_id: UUID
    record: str
    topic: str
    partition: int
    offset: int = Field(sa_type=BigInteger)
    day: date
    columns: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class WarehouseFile(Tables, table=True):
    """A file of the warehouse; what is not listed here is no part of it."""

    __tablename__ = "warehouse_file"

    path: str = Field(primary_key=True)
    record: str = Field(index=True)
    day: date
    rows: int
    written_at: datetime = Field(sa_type=Moment)


class RebuiltFile(Tables, table=True):
    """A file that a rebuild writes and the warehouse does not list yet: nobody clears it away meanwhile."""

    __tablename__ = "warehouse_rebuilt_file"

    path: str = Field(primary_key=True)
