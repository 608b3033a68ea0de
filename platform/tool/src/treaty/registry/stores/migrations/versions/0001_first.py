"""Lay the first tables: contexts, subjects, schemas, versions, references, configs, modes, state."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    false,
    text,
    true,
)
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything, the default context and the one row of state."""
    _names()
    _schemas()
    _versions()
    _references()
    _settings()
    op.execute("INSERT INTO contexts (name, last_id, created_at) VALUES ('.', 0, 0)")
    op.execute("INSERT INTO registry_state (id, generation, cluster_id) VALUES (1, 0, '')")


def _name() -> TypeEngine[str]:
    return Text().with_variant(Text(collation="C"), "postgresql")


def _names() -> None:
    op.create_table(
        "contexts",
        Column("name", _name(), primary_key=True),
        Column("last_id", BigInteger, nullable=False, server_default="0"),
        Column("created_at", BigInteger, nullable=False),
    )
    op.create_table(
        "subjects",
        Column("context", _name(), nullable=False),
        Column("name", _name(), nullable=False),
        Column("last_version", Integer, nullable=False, server_default="0"),
        PrimaryKeyConstraint("context", "name"),
    )


def _schemas() -> None:
    op.create_table(
        "schemas",
        Column("context", _name(), nullable=False),
        Column("id", BigInteger, nullable=False, autoincrement=False),
        Column("text", Text, nullable=False),
        Column("refs", Text),
        Column("metadata", Text),
        Column("rule_set", Text),
        Column("content_sha256", LargeBinary, nullable=False),
        Column("resolved_sha256", LargeBinary, nullable=False),
        Column("guid", Text, nullable=False),
        Column("is_first", Boolean, nullable=False, server_default=true()),
        Column("created_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("context", "id"),
    )
    op.create_index(
        "schemas_first_content",
        "schemas",
        ["context", "content_sha256"],
        unique=True,
        sqlite_where=text("is_first"),
        postgresql_where=text("is_first"),
    )
    op.create_index("schemas_guid", "schemas", ["guid"])


def _versions() -> None:
    op.create_table(
        "versions",
        Column("context", _name(), nullable=False),
        Column("subject", _name(), nullable=False),
        Column("version", Integer, nullable=False, autoincrement=False),
        Column("schema_id", BigInteger, nullable=False),
        Column("resolved_sha256", LargeBinary, nullable=False),
        Column("deleted", Boolean, nullable=False, server_default=false()),
        Column("created_at", BigInteger, nullable=False),
        Column("deleted_at", BigInteger),
        Column("provenance", Text, nullable=False, server_default=""),
        PrimaryKeyConstraint("context", "subject", "version"),
        ForeignKeyConstraint(
            ["context", "schema_id"], ["schemas.context", "schemas.id"], name="versions_schema", ondelete="RESTRICT"
        ),
        ForeignKeyConstraint(
            ["context", "subject"], ["subjects.context", "subjects.name"], name="versions_subject", ondelete="RESTRICT"
        ),
    )
    op.create_index("versions_schema_id", "versions", ["context", "schema_id"])
    op.create_index(
        "versions_live",
        "versions",
        ["context", "subject", "version"],
        sqlite_where=text("NOT deleted"),
        postgresql_where=text("NOT deleted"),
    )
    op.create_index("versions_resolved", "versions", ["context", "subject", "resolved_sha256"])


def _references() -> None:
    op.create_table(
        "schema_references",
        Column("context", _name(), nullable=False),
        Column("schema_id", BigInteger, nullable=False, autoincrement=False),
        Column("ordinal", Integer, nullable=False, autoincrement=False),
        Column("name", Text, nullable=False),
        Column("ref_context", _name(), nullable=False),
        Column("ref_subject", _name(), nullable=False),
        Column("ref_version", Integer, nullable=False),
        PrimaryKeyConstraint("context", "schema_id", "ordinal"),
        ForeignKeyConstraint(
            ["context", "schema_id"], ["schemas.context", "schemas.id"], name="references_schema", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["ref_context", "ref_subject", "ref_version"],
            ["versions.context", "versions.subject", "versions.version"],
            name="references_version",
            ondelete="RESTRICT",
        ),
    )
    op.create_index("references_target", "schema_references", ["ref_context", "ref_subject", "ref_version"])


def _settings() -> None:
    for name in ("configs", "modes"):
        op.create_table(
            name,
            Column("context", _name(), nullable=False),
            Column("subject", _name(), nullable=False),
            Column("members", Text, nullable=False),
            PrimaryKeyConstraint("context", "subject"),
        )
    op.create_table(
        "registry_state",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("generation", BigInteger, nullable=False, server_default="0"),
        Column("cluster_id", Text, nullable=False, server_default=""),
    )
