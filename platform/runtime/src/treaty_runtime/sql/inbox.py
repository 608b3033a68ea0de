"""Effects happen once: the event's id and its effects are written in one transaction, a second try finds the id.

Laws: the inbox row comes first, so that a second member with the same event waits for the first one's COMMIT. A COMMIT
whose answer was lost is not judged: it is an outage, after which the work runs again and the row says whether it had happened.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from treaty_runtime.errors import BatchFailed, Conflict, Locked, Outage
from treaty_runtime.event import BatchContext, BatchHandle, Context, Envelope, Handle, Outcome, Schedule, Stage
from treaty_runtime.sql.database import is_away, is_conflict, is_locked, is_passing, is_waited_out, kept_open
from treaty_runtime.sql.sqltext import array, statements
from treaty_runtime.sql.tables import InboxRow, Tables

_TABLE = Tables.metadata.tables[InboxRow.__tablename__]
_REMEMBER = {
    "postgresql": postgresql.insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.event_id),
    "sqlite": sqlite.insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.event_id),
}
# One text and a few parameters for any number of rows: a statement with a row of parameters each is made anew for each batch.
# Ids come back only if some were known, which is seldom: reading a thousand of them costs as much as writing them.
_REMEMBER_ALL = statements(
    'WITH fresh AS (INSERT INTO inbox (consumer, event_id, topic, partition, "offset")'
    " SELECT CAST(:consumer AS text), event_id, topic, part, place FROM unnest(CAST(:ids AS uuid[]),"
    " CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]))"
    " AS known (event_id, topic, part, place) ON CONFLICT DO NOTHING RETURNING event_id)"
    " SELECT CASE WHEN count(*) < :wanted THEN coalesce(array_agg(replace(CAST(event_id AS text), '-', '')), '{}') END FROM fresh",
    sqlite='INSERT INTO inbox (consumer, event_id, topic, partition, "offset")'
    " SELECT :consumer, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
    " json_extract(value, '$[3]') FROM json_each(:rows) WHERE true ON CONFLICT DO NOTHING RETURNING event_id",
)


class Inbox:
    """Runs handlers in transactions that remember the event; the `Effects` of services with a database."""

    def __init__(
        self, sessions: async_sessionmaker[Any], *, stage: Stage | None = None, schedule: Schedule | None = None
    ) -> None:
        self._sessions, self._stage, self._schedule = sessions, stage, schedule

    async def run(
        self, envelope: Envelope[Any], *, group: str, handle: Handle, deadline: datetime, inbox: bool = True
    ) -> Outcome:
        """Call `handle` in a transaction of its own and commit, unless `group` has handled this event id: DUPLICATE.

        Raises what the handler raised (nothing is kept then), Conflict if another transaction won, Locked if somebody keeps a
        lock, and Outage while the database is away or did not say whether it had committed.
        """
        async with self._transaction() as session:
            if inbox and not await remember(session, envelope, group=group):
                return Outcome.DUPLICATE
            context = Context(
                envelope=envelope,
                deadline=deadline,
                open_session=session,
                stager=self._stage,
                scheduler=self._schedule,
            )
            with kept_open(session) if inbox else nullcontext():
                await handle(context)
        return Outcome.HANDLED

    async def run_batch(
        self,
        envelopes: Sequence[Envelope[Any]],
        *,
        group: str,
        handle: BatchHandle,
        deadline: datetime,
        inbox: bool = True,
    ) -> list[Outcome]:
        """The same for several events in one transaction, with one statement for all their rows."""
        async with self._transaction() as session:
            fresh = await _remember_all(session, envelopes, group=group) if inbox else list(envelopes)
            if fresh:
                batch = BatchContext(
                    envelopes=fresh,
                    deadline=deadline,
                    open_session=session,
                    stager=self._stage,
                    scheduler=self._schedule,
                )
                with kept_open(session) if inbox else nullcontext():
                    await handle(batch)
        handled = {id(envelope) for envelope in fresh}
        return [Outcome.HANDLED if id(each) in handled else Outcome.DUPLICATE for each in envelopes]

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Any]:
        """A session that is committed at the end of the block; what the database says is put into our words."""
        try:
            async with self._sessions() as session:
                yield session
                await session.commit()
        except BatchFailed as failed:
            named = {index: _in_our_words(error) for index, error in failed.failures.items()}
            outages = (error for error in named.values() if isinstance(error, Outage))
            raise next(outages, BatchFailed(named)) from failed
        except (DBAPIError, PoolTimeout, PendingRollbackError, ExceptionGroup) as error:
            if (told := _in_our_words(error)) is error:
                raise
            raise told from error


def _in_our_words(error: Exception) -> Exception:
    """What an error of the database means for the record; any other is left as it is. Of a group, what waits longest of its parts."""
    if isinstance(error, ExceptionGroup):
        words = [_in_our_words(each) for each in error.exceptions]
        kinds = (Outage, Locked, Conflict)
        return next((each for kind in kinds for each in words if isinstance(each, kind)), error)
    if is_conflict(error):
        told: Exception = Conflict(str(error))
    elif is_locked(error):
        told = Locked(str(error))
    elif is_away(error):
        told = Outage(f"The database is away: {error}", dependency="database")
    else:
        return error
    told.__cause__ = error
    return told


def _row(envelope: Envelope[Any], *, group: str) -> dict[str, Any]:
    topic, partition, offset = envelope.place
    return {"consumer": group, "event_id": envelope.id, "topic": topic, "partition": partition, "offset": offset}


async def remember(session: AsyncSession, envelope: Envelope[Any], *, group: str) -> bool:
    """Writes the inbox row of an event in the session's transaction; False: it was there."""
    row = _row(envelope, group=group)
    with _waiting_for_others():
        inserted = await session.execute(_REMEMBER[session.get_bind().dialect.name], row)
    return inserted.first() is not None


@contextmanager
def _waiting_for_others() -> Iterator[None]:
    """Another member may have the row. Whatever the database says here, it says nothing of the handler, which has not begun."""
    try:
        yield
    except DBAPIError as error:
        if is_passing(error):
            raise
        if is_waited_out(error):
            raise Locked(str(error)) from error
        raise Outage(f"The inbox cannot be written: {error}", dependency="database") from error


async def _remember_all(
    session: AsyncSession, envelopes: Sequence[Envelope[Any]], *, group: str
) -> list[Envelope[Any]]:
    """The events that were not known; of two with one id the first. Rows are in order of id, so that two batches cannot lock up."""
    # By number and by text: a UUID is compared and hashed in Python, which costs more than all else here.
    first = {envelope.id.int: envelope for envelope in reversed(envelopes)}
    ordered = {f"{number:032x}": first[number] for number in sorted(first)}
    dialect = session.get_bind().dialect.name
    given = {"consumer": group, **_parameters(ordered, dialect=dialect)}
    with _waiting_for_others():
        answer = await session.execute(_REMEMBER_ALL[dialect], given)
    fresh = answer.scalar_one() if dialect == "postgresql" else answer.scalars().all()
    if fresh is None and len(ordered) == len(envelopes):
        return list(envelopes)
    chosen = {id(ordered[text]) for text in (ordered if fresh is None else fresh)}
    return [envelope for envelope in envelopes if id(envelope) in chosen]


def _parameters(ordered: Mapping[str, Envelope[Any]], *, dialect: str) -> dict[str, object]:
    """The rows of these events, by id as 32 hexadecimal digits: a list for each column, or JSON."""
    if dialect != "postgresql":
        return {"rows": json.dumps([[text, *envelope.place] for text, envelope in ordered.items()])}
    topics, partitions, offsets = zip(*(envelope.place for envelope in ordered.values()), strict=True)
    return {
        "wanted": len(ordered),
        "ids": f"{{{','.join(ordered)}}}",
        "topics": array(topics),
        "partitions": array(partitions),
        "offsets": array(offsets),
    }
