"""Stage events in the caller's transaction; nothing leaves before its commit, nothing of a rollback ever does.

Laws: positions of one key must be given in the order of the commits, because the relay sends by position. SQLite has
one writer at a time; on PostgreSQL each flush first locks the keys it stages, until the transaction ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID
from zlib import crc32

from sqlalchemy import event as orm_event
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from treaty_runtime.event import Event, Headers
from treaty_runtime.hooks import Hooks, KeyMissing, Staged
from treaty_runtime.publish.outbox_headers import WRITER, dump_headers, writer_of
from treaty_runtime.publish.record_key import diagnostic_key, key_of
from treaty_runtime.sql.database import LANES
from treaty_runtime.sql.tables import OutboxRow
from treaty_runtime.wire.event_id import new_event_id
from treaty_runtime.wire.headers import event_headers, source_of
from treaty_runtime.wire.serde import UNKNOWN_ID, Serde

# The keys arrive sorted, so two transactions that share several keys in one flush cannot wait for each other.
LOCK_KEYS = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")

_INFO = "treaty_outbox"


class Outbox:
    """Writes events beside the rows that caused them.

    `entropy(n)` gives n random bytes; `trace` gives the W3C headers of the current span; `serialize_keys=False` leaves
    out the key locks where the caller has locked the aggregate's row anyway.
    """

    def __init__(
        self,
        serde: Serde,
        *,
        service: str,
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        lanes: int = LANES,
        serialize_keys: bool = True,
        hooks: Hooks | None = None,
        trace: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._serde, self._service, self._now, self._entropy = serde, service, now, entropy
        self._lanes, self._serialize_keys, self._trace = lanes, serialize_keys, trace
        self._hooks = hooks or Hooks()
        self._wakers: list[Callable[[], None]] = []

    def on_commit(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each commit that staged something, in the committing thread."""
        self._wakers.append(wake)

    def stage(
        self,
        session: AsyncSession | Session,
        event: Event,
        *,
        key: str | None = None,
        event_id: UUID | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> UUID:
        """Add the event to the session's transaction and answer its id.

        Encodes at once, without I/O: EncodeError, Oversize, InvalidKey, InvalidHeaders reach the caller. The same `event_id`
        twice fails at the flush.
        """
        now = self._now()
        event_id = event_id or new_event_id(now, entropy=self._entropy(10))
        chosen = key_of(event, given=key) or self._missing_key(event, event_id)
        encoded = self._serde.encode(event)
        extra = dict(headers or {})
        if encoded.schema_id == UNKNOWN_ID:
            extra[WRITER] = writer_of(event)
        own = event_headers(
            event_id=event_id,
            source=source_of(event.__avro_fullname__, self._service),
            type=event.__event_type__,
            time=now,
            subject=chosen,
            dataschema=None,  # the relay knows the schema id for certain
            correlation_id=correlation_id or event_id,
            causation_id=causation_id,
            extra=extra,
        )
        self._add(session, self._row(event, event_id, key=chosen, payload=encoded.value, headers=own))
        return event_id

    def _row(self, event: Event, event_id: UUID, *, key: str, payload: bytes, headers: Headers) -> OutboxRow:
        return OutboxRow(
            id=event_id,
            aggregatetype=event.__topic__,
            aggregateid=key,
            type=event.__event_type__,
            dataschema=event.__avro_fullname__,
            payload=payload,
            headers=dump_headers(headers),
            tracingspancontext=self._span(),
            lane=lane_of(key, lanes=self._lanes),
        )

    def _add(self, session: AsyncSession | Session, row: OutboxRow) -> None:
        target = session.sync_session if isinstance(session, AsyncSession) else session
        self._watch(target)
        target.add(row)
        if self._hooks:
            self._hooks(Staged(topic=row.aggregatetype, event_type=row.type, event_id=row.id))

    def _missing_key(self, event: Event, event_id: UUID) -> str:
        self._hooks(KeyMissing(topic=event.__topic__, event_type=event.__event_type__, event_id=event_id))
        return diagnostic_key(event_id)

    def _span(self) -> str | None:
        span = self._trace() if self._trace else {}
        return "\n".join(f"{name}={value}" for name, value in span.items()) or None

    def _watch(self, session: Session) -> None:
        if _INFO not in session.info:
            if self._serialize_keys:
                orm_event.listen(session, "before_flush", _lock_new_keys)
            orm_event.listen(session, "after_commit", self._committed)
        session.info[_INFO] = True

    def _committed(self, session: Session) -> None:
        # The event also fires when a savepoint is released: the rows are not visible to the relay then.
        if session.info.get(_INFO) and not session.in_nested_transaction():
            session.info[_INFO] = False
            for wake in self._wakers:
                wake()


def lane_of(key: str, *, lanes: int) -> int:
    """The relay lane of a key: all its rows pass through one owner."""
    return crc32(key.encode()) % lanes


def _lock_new_keys(session: Session, _context: object, _instances: object) -> None:
    keys = {_lock_number(row.aggregateid) for row in session.new if isinstance(row, OutboxRow)}
    if not keys:
        return
    connection = session.connection(bind_arguments={"mapper": OutboxRow})
    if connection.dialect.name == "postgresql":
        connection.execute(LOCK_KEYS, {"keys": sorted(keys)})


def _lock_number(key: str) -> int:
    # Advisory locks are shared by the whole database: the prefix keeps clear of another program's numbers.
    digest = hashlib.blake2b(b"treaty.outbox\x00" + key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
