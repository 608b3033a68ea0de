"""The registry's tables. JSON is kept as text (``jsonb`` refuses ``\\u0000``); names sort by code point on every database."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Dialect,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
    true,
)
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel


def stored_name(name: str) -> str:
    """A name as it is written and asked for: what ``NameText`` makes of it."""
    return name.replace("\0", "\1")


class NameText(TypeDecorator[str]):
    """Text that sorts by code point (what SQLite does by itself and Postgres when told), and that may be asked for with NUL.

    Postgres refuses NUL even in a question. No stored name holds a control character (``names.require_subject``), so another
    one is asked for in its place, and found as little.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return Text(collation="C") if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else stored_name(value)


def name_type() -> TypeEngine[str]:
    """The type of contexts, subjects and guids."""
    return NameText()


class RegistryTable(SQLModel):
    """What all tables share: metadata of their own, so that a service's tables never mix with these."""

    metadata: ClassVar[MetaData] = MetaData()


class ContextTable(RegistryTable, table=True):
    """A line of ids. ``last_id`` never falls: no id ever names two contents."""

    __tablename__ = "contexts"

    name: str = Field(primary_key=True, sa_type=name_type())
    last_id: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    created_at: int = Field(sa_type=BigInteger)


class SubjectTable(RegistryTable, table=True):
    """A line of versions, kept when all of them are gone."""

    __tablename__ = "subjects"

    context: str = Field(primary_key=True, sa_type=name_type())
    name: str = Field(primary_key=True, sa_type=name_type())
    last_version: int = Field(sa_column_kwargs={"server_default": "0"})


class SchemaTable(RegistryTable, table=True):
    """A content under an id. ``is_first``: false for doubles that an import brought under a second id."""

    __tablename__ = "schemas"
    __table_args__: ClassVar[Any] = (
        Index(
            "schemas_first_content",
            "context",
            "content_sha256",
            unique=True,
            sqlite_where=text("is_first"),
            postgresql_where=text("is_first"),
        ),
        Index("schemas_guid", "guid"),
    )

    context: str = Field(primary_key=True, sa_type=name_type())
    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    text: str = Field(sa_type=Text)
    refs: str | None = Field(default=None, sa_type=Text)
    # ``metadata`` as an attribute is SQLAlchemy's own; the column keeps the word.
    extra: str | None = Field(default=None, sa_type=Text, sa_column_kwargs={"name": "metadata"})
    rule_set: str | None = Field(default=None, sa_type=Text)
    content_sha256: bytes = Field(sa_type=LargeBinary)
    resolved_sha256: bytes = Field(sa_type=LargeBinary)
    guid: str = Field(sa_type=name_type())
    is_first: bool = Field(sa_column_kwargs={"server_default": true()})
    created_at: int = Field(sa_type=BigInteger)


class VersionTable(RegistryTable, table=True):
    """A numbered version of a subject."""

    __tablename__ = "versions"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["context", "schema_id"], ["schemas.context", "schemas.id"], name="versions_schema", ondelete="RESTRICT"
        ),
        ForeignKeyConstraint(
            ["context", "subject"], ["subjects.context", "subjects.name"], name="versions_subject", ondelete="RESTRICT"
        ),
        Index("versions_schema_id", "context", "schema_id"),
        Index(
            "versions_live",
            "context",
            "subject",
            "version",
            sqlite_where=text("NOT deleted"),
            postgresql_where=text("NOT deleted"),
        ),
        Index("versions_resolved", "context", "subject", "resolved_sha256"),
    )

    context: str = Field(primary_key=True, sa_type=name_type())
    subject: str = Field(primary_key=True, sa_type=name_type())
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    schema_id: int = Field(sa_type=BigInteger)
    resolved_sha256: bytes = Field(sa_type=LargeBinary)
    deleted: bool = Field(sa_column_kwargs={"server_default": false()})
    created_at: int = Field(sa_type=BigInteger)
    deleted_at: int | None = Field(default=None, sa_type=BigInteger)
    provenance: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})


class ReferenceTable(RegistryTable, table=True):
    """A reference of a schema: the database itself keeps what is referred to."""

    __tablename__ = "schema_references"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["context", "schema_id"], ["schemas.context", "schemas.id"], name="references_schema", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["ref_context", "ref_subject", "ref_version"],
            ["versions.context", "versions.subject", "versions.version"],
            name="references_version",
            ondelete="RESTRICT",
        ),
        Index("references_target", "ref_context", "ref_subject", "ref_version"),
    )

    context: str = Field(primary_key=True, sa_type=name_type())
    schema_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    ordinal: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(sa_type=Text)
    ref_context: str = Field(sa_type=name_type())
    ref_subject: str = Field(sa_type=name_type())
    ref_version: int


class ConfigTable(RegistryTable, table=True):
    """Config members of a name; an empty subject is the context."""

    __tablename__ = "configs"

    context: str = Field(primary_key=True, sa_type=name_type())
    subject: str = Field(primary_key=True, sa_type=name_type())
    members: str = Field(sa_type=Text)


class ModeTable(RegistryTable, table=True):
    """The mode of a name; an empty subject is the context."""

    __tablename__ = "modes"

    context: str = Field(primary_key=True, sa_type=name_type())
    subject: str = Field(primary_key=True, sa_type=name_type())
    members: str = Field(sa_type=Text)


class StateTable(RegistryTable, table=True):
    """One row about the registry itself; ``generation`` grows with each permanent delete."""

    __tablename__ = "registry_state"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    generation: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    cluster_id: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    directory_version: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


METADATA: Final = RegistryTable.metadata


def table(name: str) -> Table:
    """The table of that name, for statements."""
    return METADATA.tables[name]


CONTEXTS: Final = table("contexts")
SUBJECTS: Final = table("subjects")
SCHEMAS: Final = table("schemas")
VERSIONS: Final = table("versions")
REFERENCES: Final = table("schema_references")
CONFIGS: Final = table("configs")
MODES: Final = table("modes")
STATE: Final = table("registry_state")
