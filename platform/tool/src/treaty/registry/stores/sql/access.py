"""The directory and the audit as SQL.

Law: ``registry_state.directory_version`` grows in the transaction of each change, so that every process sees by one small
question whether what it holds still counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection, RowMapping, delete, insert, select, text, update

from treaty.registry.access.audit import Entry
from treaty.registry.access.directory import Directory, TokenRow
from treaty.registry.access.grants import Grant, Pattern, Role
from treaty.registry.access.seal import FIRST, Link, seal_of
from treaty.registry.stores.sql.access_tables import AUDIT, GRANTS, PRINCIPALS, TOKENS
from treaty.registry.stores.sql.prepared import Prepared
from treaty.registry.stores.sql.tables import STATE, stored_name

_values: Final = attrgetter(*Entry.__slots__)

SEALED_AT_ONCE: Final = 5_000
PAGE: Final = 1_000

_ADD_ENTRY: Final = Prepared(insert(AUDIT), without=("id", "seal", "position"))

PUT_USER: Final = text(
    "INSERT INTO principals (name, password_hash) VALUES (:name, :hash) ON CONFLICT (name) DO UPDATE "
    "SET password_hash = coalesce(excluded.password_hash, principals.password_hash)"
)

PUT_GRANT: Final = text(
    "INSERT INTO grants (principal, role, pattern) VALUES (:principal, :role, :pattern) "
    "ON CONFLICT (principal, role, pattern) DO NOTHING"
)


def read_directory(connection: Connection, known: Directory | None) -> Directory:
    """Everybody, or ``known`` itself if it is still so."""
    version = int(connection.execute(select(STATE.c.directory_version)).scalar_one())
    if known is not None and known.version == version:
        return known
    tokens = [_token(*row) for row in connection.execute(select(*_TOKEN_COLUMNS))]
    grants = select(GRANTS.c.principal, GRANTS.c.role, GRANTS.c.pattern).order_by(*GRANTS.primary_key.columns)
    return Directory(
        version=version,
        passwords={row.name: row.password_hash for row in connection.execute(select(PRINCIPALS))},
        tokens={token.id: token for token in tokens},
        grants=tuple(Grant(to, Role[role], Pattern.parse(pattern)) for to, role, pattern in connection.execute(grants)),
    )


class SqlRoster:
    """Changes of the directory in the transaction of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.execute(update(STATE).values(directory_version=STATE.c.directory_version + 1))

    def put_user(self, name: str, password_hash: str | None) -> None:
        self._connection.execute(PUT_USER, {"name": name, "hash": password_hash})

    def remove_user(self, name: str) -> bool:
        self._connection.execute(delete(GRANTS).where(GRANTS.c.principal == name))
        return bool(self._connection.execute(delete(PRINCIPALS).where(PRINCIPALS.c.name == name)).rowcount)

    def add_token(self, token: TokenRow) -> None:
        row = {
            "id": token.id,
            "principal": token.principal,
            "sha256": token.sha256,
            "created_at": _ms(token.created_at),
            "expires_at": None if token.expires_at is None else _ms(token.expires_at),
        }
        self._connection.execute(insert(TOKENS), row)

    def remove_token(self, token_id: str) -> bool:
        return bool(self._connection.execute(delete(TOKENS).where(TOKENS.c.id == token_id)).rowcount)

    def add_grant(self, grant: Grant) -> None:
        row = {"principal": grant.to, "role": grant.role.name, "pattern": str(grant.pattern)}
        self._connection.execute(PUT_GRANT, row)

    def remove_grant(self, grant: Grant) -> bool:
        of = GRANTS.c
        chosen = delete(GRANTS).where(
            of.principal == grant.to, of.role == grant.role.name, of.pattern == str(grant.pattern)
        )
        return bool(self._connection.execute(chosen).rowcount)

    def add_audit(self, entry: Entry) -> None:
        add_entries(self._connection, [entry])


def add_entries(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write entries down."""
    if entries:
        _ADD_ENTRY.execute_all(connection, [_row(entry) for entry in entries])


def read_entries(connection: Connection, *, before: int | None, limit: int) -> list[tuple[int, Entry]]:
    """Entries with their numbers, newest first."""
    chosen = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(AUDIT.c.id < before)
    return [(row["id"], _entry(row)) for row in connection.execute(chosen).mappings()]


def seal_entries(connection: Connection) -> None:
    """Put what is not sealed yet at the end of the chain, in the order of numbers; at most ``SEALED_AT_ONCE``.

    A number may be given before another and committed after it, so the chain has an order of its own.
    """
    waiting = select(AUDIT).where(AUDIT.c.position.is_(None)).order_by(AUDIT.c.id).limit(SEALED_AT_ONCE)
    rows = connection.execute(waiting).mappings().all()
    if not rows:
        return
    last = select(AUDIT.c.position, AUDIT.c.seal).where(AUDIT.c.position.is_not(None))
    end = connection.execute(last.order_by(AUDIT.c.position.desc()).limit(1)).first()
    position, seal = (0, FIRST) if end is None else (end.position, bytes(end.seal))
    for row in rows:
        position += 1
        seal = seal_of(seal, position=position, number=row["id"], entry=_entry(row))
        connection.execute(update(AUDIT).where(AUDIT.c.id == row["id"]).values(position=position, seal=seal))


def read_chain(connection: Connection) -> Iterator[Link]:
    """The chain from its beginning."""
    chosen = select(AUDIT).where(AUDIT.c.position.is_not(None)).order_by(AUDIT.c.position)
    for row in connection.execution_options(yield_per=PAGE).execute(chosen).mappings():
        yield Link(row["position"], row["id"], _entry(row), bytes(row["seal"] or b""))


_TOKEN_COLUMNS: Final = (
    TOKENS.c.id, TOKENS.c.principal, TOKENS.c.sha256, TOKENS.c.created_at, TOKENS.c.expires_at,
)  # fmt: skip


def _entry(row: RowMapping) -> Entry:
    hashes = {key: None if row[key] is None else bytes(row[key]) for key in ("before_sha256", "after_sha256")}
    return Entry(**{**{key: row[key] for key in Entry.__slots__}, **hashes})


def _row(entry: Entry) -> dict[str, object]:
    row = dict(zip(Entry.__slots__, _values(entry), strict=True))
    # What was refused is written down too, and may have been asked with NUL: see ``NameText``.
    row |= {"context": stored_name(entry.context), "subject": stored_name(entry.subject)}
    return row


def _token(token_id: str, principal: str, sha256: bytes, created_at: int, expires_at: int | None) -> TokenRow:
    return TokenRow(
        token_id, principal, bytes(sha256), _time(created_at), None if expires_at is None else _time(expires_at)
    )


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
