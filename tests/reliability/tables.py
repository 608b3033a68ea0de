"""The table that handlers write: a row for each effect, and nothing that would hide a second one."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, MetaData, String, Table

METADATA = MetaData()
EFFECT = Table(
    "effect",
    METADATA,
    Column("at", BigInteger, Identity(), primary_key=True),
    Column("key", String(64)),
    Column("sequence", BigInteger),
    Column("event_id", String(36)),
    Column("process", String(40)),
)
RAN = Table("ran", METADATA, Column("at", BigInteger, Identity(), primary_key=True), Column("job", String(80)))
