"""Add who may come in and what was done: principals, tokens, grants, audit, and the version of the first three."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, LargeBinary, Text
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables; processes of the revision before do not know them and go on working."""
    _access()
    _audit()
    op.add_column("registry_state", Column("directory_version", BigInteger, nullable=False, server_default="0"))


def _name() -> TypeEngine[str]:
    return Text().with_variant(Text(collation="C"), "postgresql")


def _access() -> None:
    op.create_table("principals", Column("name", _name(), primary_key=True), Column("password_hash", Text))
    op.create_table(
        "tokens",
        Column("id", _name(), primary_key=True),
        Column("principal", _name(), nullable=False),
        Column("sha256", LargeBinary, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger),
        ForeignKeyConstraint(["principal"], ["principals.name"], name="tokens_principal", ondelete="CASCADE"),
    )
    op.create_table(
        "grants",
        Column("principal", _name(), primary_key=True),
        Column("role", _name(), primary_key=True),
        Column("pattern", _name(), primary_key=True),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
        Column("at", BigInteger, nullable=False),
        Column("actor", Text, nullable=False),
        Column("source_ip", Text, nullable=False),
        Column("request_id", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("context", _name(), nullable=False),
        Column("subject", _name(), nullable=False),
        Column("version", Integer),
        Column("schema_id", BigInteger),
        Column("before_sha256", LargeBinary),
        Column("after_sha256", LargeBinary),
        Column("outcome", Text, nullable=False),
        Column("reason", Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_subject", "audit", ["context", "subject"])
