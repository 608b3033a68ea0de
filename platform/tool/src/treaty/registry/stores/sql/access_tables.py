"""The tables of who may come in, and of what was done: principals, tokens, grants, audit."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer, LargeBinary, Text
from sqlmodel import Field

from treaty.registry.stores.sql.tables import RegistryTable, name_type, table


class PrincipalTable(RegistryTable, table=True):
    """Somebody with credentials; ``password_hash`` empty: tokens only."""

    __tablename__ = "principals"

    name: str = Field(primary_key=True, sa_type=name_type())
    password_hash: str | None = Field(default=None, sa_type=Text)


class TokenTable(RegistryTable, table=True):
    """A static token, as its SHA-256. Times: milliseconds since 1970."""

    __tablename__ = "tokens"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(["principal"], ["principals.name"], name="tokens_principal", ondelete="CASCADE"),
    )

    id: str = Field(primary_key=True, sa_type=name_type())
    principal: str = Field(sa_type=name_type())
    sha256: bytes = Field(sa_type=LargeBinary)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int | None = Field(default=None, sa_type=BigInteger)


class GrantTable(RegistryTable, table=True):
    """A role on a pattern. Its owner may be known to a token's issuer only, so nothing is referred to."""

    __tablename__ = "grants"

    principal: str = Field(primary_key=True, sa_type=name_type())
    role: str = Field(primary_key=True, sa_type=name_type())
    pattern: str = Field(primary_key=True, sa_type=name_type())


class AuditTable(RegistryTable, table=True):
    """What was done or refused; rows are only ever added."""

    __tablename__ = "audit"
    __table_args__: ClassVar[Any] = (
        Index("audit_subject", "context", "subject"),
        Index("audit_position", "position", unique=True),
        {"sqlite_autoincrement": True},
    )

    # SQLite knows a row id that never comes again only for its own integer type.
    id: int | None = Field(
        default=None,
        primary_key=True,
        sa_type=BigInteger().with_variant(Integer(), "sqlite"),
    )
    at: int = Field(sa_type=BigInteger)
    actor: str = Field(sa_type=Text)
    source_ip: str = Field(sa_type=Text)
    request_id: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    context: str = Field(sa_type=name_type())
    subject: str = Field(sa_type=name_type())
    version: int | None = Field(default=None)
    schema_id: int | None = Field(default=None, sa_type=BigInteger)
    before_sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    after_sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    outcome: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    seal: bytes | None = Field(default=None, sa_type=LargeBinary)
    position: int | None = Field(default=None, sa_type=BigInteger)


PRINCIPALS: Final = table("principals")
TOKENS: Final = table("tokens")
GRANTS: Final = table("grants")
AUDIT: Final = table("audit")
