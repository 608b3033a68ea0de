"""What a service's handler would do with a record today: it runs in a transaction that is rolled back, and nothing leaves.

Law: the transaction never commits, whatever the handler does; what it hands to `context.outside` is only written down. A handler
that is declared `external` and does not call that is not run at all; what one that is not declared sends by itself is sent.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from inspect import unwrap
from types import CodeType
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import event as sql_event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from treaty_runtime.classify import Kind, classify
from treaty_runtime.consume.reader import NO_HANDLER, Reader
from treaty_runtime.errors import Outage, Oversize, Poison, TreatyError
from treaty_runtime.event import BatchContext, Context, Envelope, Event, Headers, Place, Record, Schedule, Stage
from treaty_runtime.handlers import Group, Handler
from treaty_runtime.job import Job
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.failure import describe
from treaty_runtime.wire.personal import personal_values
from treaty_runtime.wire.serde import Serde

R = TypeVar("R")

_NOWHERE = Place("", 0, 0)
_CHANGE = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+([\w.\"]+)", re.IGNORECASE)


class UnknownGroup(TreatyError):
    """No group of this service has that name: ask the service whose group gave the record up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunAnswer:
    """What would happen: ``outcome`` is `handled`, `duplicate`, `failed`, `rejected`, `skipped`, `outage` or `refused`.

    ``rows``: changed rows by table; ``staged``: events by type and topic; ``outside``: calls by name and key. ``error``: what was raised,
    without personal data.
    """

    outcome: str
    error: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    staged: Sequence[Mapping[str, str]] = ()
    outside: Sequence[Mapping[str, str]] = ()


@dataclass(slots=True)
class _Seen:
    rows: Counter[str] = field(default_factory=Counter)
    staged: list[Mapping[str, str]] = field(default_factory=list)
    outside: list[Mapping[str, str]] = field(default_factory=list)

    def answer(self, outcome: str, error: str | None = None) -> DryRunAnswer:
        return DryRunAnswer(
            outcome=outcome, error=error, rows=dict(self.rows), staged=self.staged, outside=self.outside
        )


class DryRun:
    """Runs handlers of a service's groups without effect. Without ``sessions`` they get no transaction."""

    def __init__(
        self,
        groups: Sequence[Group],
        serde: Serde,
        *,
        events: Mapping[str, type[Any]],
        sessions: async_sessionmaker[AsyncSession] | None,
        stage: Stage,
        schedule: Schedule,
        now: Callable[[], datetime],
    ) -> None:
        self._groups = {group.name: group for group in groups}
        self._readers = {group.name: Reader(group, serde, events=events) for group in groups}
        self._max_bytes, self._sessions, self._now = serde.max_record_bytes, sessions, now
        self._stage, self._schedule = stage, schedule

    async def run(self, group: str, *, key: bytes | None, value: bytes | None, headers: Headers) -> DryRunAnswer:
        """What the group would do with a dead letter's bytes and headers. Raises UnknownGroup."""
        if group not in self._groups:
            raise UnknownGroup(
                f"This service has no group {group}, it has {', '.join(sorted(self._groups)) or 'none'}."
            )
        seen = _Seen()
        origin = names.origin_of(_NOWHERE, names.first_values(headers))
        if origin == _NOWHERE:
            return seen.answer("refused", "The headers name no original topic: treaty did not write this dead letter.")
        record = Record(origin, key, value, headers)
        try:
            opened = await self._open(group, record)
        except (Poison, Outage) as error:
            return seen.answer("outage" if isinstance(error, Outage) else "rejected", _told(error))
        except Exception as error:  # noqa: BLE001  # classified as a consumer would
            return seen.answer("rejected" if classify(error) is Kind.POISON else "failed", _told(error))
        if opened is None:
            return seen.answer("skipped", NO_HANDLER)
        handler, envelope = opened
        if handler.external and not _asks_outside(handler):
            return seen.answer("refused", f"{handler.name} is external and does not use context.outside.")
        return await self._handle(self._groups[group], handler, envelope, seen)

    async def _open(self, group: str, record: Record) -> tuple[Handler, Envelope[Any]] | None:
        reader = self._readers[group]
        if len(record.value or b"") > self._max_bytes:
            raise Oversize
        route = reader.known(record) or await reader.find(record)
        if route.handler is None:
            return None
        return route.handler, reader.open(record, route, attempt=1)

    async def _handle(self, group: Group, handler: Handler, envelope: Envelope[Any], seen: _Seen) -> DryRunAnswer:
        deadline = self._now() + handler.timeout
        try:
            async with asyncio.timeout(handler.timeout.total_seconds()), self._rolled_back(seen) as session:
                if session is not None and handler.inbox and not await _is_new(session, envelope, group.name):
                    return seen.answer("duplicate")
                context = self._context(envelope, deadline, session, seen)
                if handler.takes == "batch":
                    await handler.call([envelope.event], _batch_of(context))
                else:
                    await handler.bind(envelope)(context)
                if session is not None:
                    await session.flush()
        except Exception as error:  # noqa: BLE001  # whatever the handler raises is the answer
            kind = classify(error, group.every_rule)
            outcome = {Kind.POISON: "rejected", Kind.OUTAGE: "outage", Kind.STALLED: "outage"}.get(kind, "failed")
            return seen.answer(outcome, _told(error, envelope.event))
        return seen.answer("handled")

    def _context(
        self, envelope: Envelope[Any], deadline: datetime, session: AsyncSession | None, seen: _Seen
    ) -> Context:
        def stage(session: Any, event: Event, **options: Any) -> UUID:
            identity = self._stage(session, event, **options)
            seen.staged.append({"type": event.__event_type__, "topic": event.__topic__})
            return identity

        def schedule(session: Any, job: Job, *, replace: bool = False) -> None:
            self._schedule(session, job, replace=replace)
            seen.staged.append({"job": job.id, "queue": job.queue})

        async def outside(name: str, key: str, send: Callable[[], Awaitable[R]]) -> R:  # noqa: ARG001  # never called: that is the point
            seen.outside.append({"name": name, "key": key})
            nothing: Any = None
            return nothing  # type: ignore[no-any-return]  # a dry run has no answer of the outside

        return Context(
            envelope=envelope,
            deadline=deadline,
            open_session=session,
            stager=stage,
            scheduler=schedule,
            outsider=outside,
            is_dry_run=True,
        )

    @asynccontextmanager
    async def _rolled_back(self, seen: _Seen) -> AsyncIterator[AsyncSession | None]:
        if self._sessions is None:
            yield None
            return
        async with self._sessions() as session:
            session.sync_session.commit = session.sync_session.flush  # type: ignore[method-assign]  # a handler's own commit must not be one
            connection = await session.connection()
            target = connection.sync_connection

            def count(_c: Any, cursor: Any, statement: str, _p: Any, _x: Any, _many: bool) -> None:
                change = _CHANGE.match(statement)
                if change is not None:
                    seen.rows[change[1].replace('"', "").rpartition(".")[2]] += max(cursor.rowcount, 0)

            sql_event.listen(target, "after_cursor_execute", count)
            try:
                yield session
            finally:
                await session.rollback()


async def _is_new(session: AsyncSession, envelope: Envelope[Any], group: str) -> bool:
    from treaty_runtime.sql.inbox import remember  # noqa: PLC0415  # only where there is a database

    return await remember(session, envelope, group=group)


def _batch_of(context: Context) -> BatchContext:
    return BatchContext(
        envelopes=[context.envelope],
        deadline=context.deadline,
        open_session=context.open_session,
        stager=context.stager,
        scheduler=context.scheduler,
        outsider=context.outsider,
        is_dry_run=context.is_dry_run,
    )


def _told(error: Exception, event: object = None) -> str:
    failure = describe(error, secrets=personal_values(event) if event is not None else ())
    return f"{failure.error_class}: {failure.message}"


def _asks_outside(handler: Handler) -> bool:
    """Whether the function's own text calls `….outside`; what it calls elsewhere is not looked into."""
    code = getattr(unwrap(handler.call), "__code__", None)
    return isinstance(code, CodeType) and "outside" in _names(code)


def _names(code: CodeType) -> frozenset[str]:
    inner = (name for const in code.co_consts if isinstance(const, CodeType) for name in _names(const))
    return frozenset({*code.co_names, *inner})
