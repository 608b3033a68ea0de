"""Every query of the audit service; sessions are passed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.audit.domain import BEGINNING, Entry, seal
from mall.audit.tables import DeadLetterRow, EntryRow, HeadRow
from mall.upsert import insert

HEAD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries a list shows; what is None is not asked for."""

    actor: str | None = None
    action: str | None = None
    resource: str | None = None
    resource_id: str | None = None
    source: str | None = None


async def append(session: AsyncSession, entry: Entry) -> None:
    """Write an entry at the end of the chain, unless its event is there; whoever appends next waits for our commit."""
    start = {"id": HEAD, "sequence": 0, "hash": BEGINNING}
    await session.execute(insert(session, HeadRow).values(start).on_conflict_do_nothing())
    head = await session.get_one(HeadRow, HEAD, with_for_update=True, populate_existing=True)
    if await is_kept(session, entry.event_id):
        return
    sealed = seal(entry, sequence=head.sequence + 1, previous_hash=head.hash)
    session.add(
        EntryRow(sequence=sealed.sequence, previous_hash=sealed.previous_hash, hash=sealed.hash, **asdict(entry))
    )
    head.sequence, head.hash = sealed.sequence, sealed.hash


async def is_kept(session: AsyncSession, event_id: UUID) -> bool:
    """Whether the event has its entry; for ever, beyond the life of the runtime's inbox rows."""
    query = select(col(EntryRow.sequence)).where(col(EntryRow.event_id) == event_id)
    return (await session.execute(query)).first() is not None


async def head(session: AsyncSession) -> tuple[int, str]:
    """Number and hash of the last entry."""
    row = await session.get(HeadRow, HEAD)
    return (row.sequence, row.hash) if row else (0, BEGINNING)


async def find_entry(session: AsyncSession, sequence: int) -> EntryRow | None:
    """One entry."""
    return await session.get(EntryRow, sequence)


async def stretch(session: AsyncSession, *, after: int, size: int) -> Sequence[EntryRow]:
    """Up to `size` entries after a place, in order."""
    query = select(EntryRow).where(col(EntryRow.sequence) > after).order_by(col(EntryRow.sequence)).limit(size)
    return list(await session.scalars(query))


async def page(session: AsyncSession, shown: Filter, *, before: int | None, size: int) -> Sequence[EntryRow]:
    """Up to `size + 1` entries, newest first."""
    query = select(EntryRow).order_by(col(EntryRow.sequence).desc()).limit(size + 1)
    for name, value in asdict(shown).items():
        if value is not None:
            query = query.where(col(getattr(EntryRow, name)) == value)
    if before is not None:
        query = query.where(col(EntryRow.sequence) < before)
    return list(await session.scalars(query))


async def count_dead_letter(session: AsyncSession, *, service: str, cause: str, at: datetime) -> None:
    """Count one dead letter."""
    number = col(DeadLetterRow.number)
    values = {"service": service, "cause": cause, "number": 1, "last_at": at}
    counted = insert(session, DeadLetterRow).values(values)
    changes = {"number": number + 1, "last_at": at}
    await session.execute(counted.on_conflict_do_update(index_elements=["service", "cause"], set_=changes))


async def dead_letters(session: AsyncSession) -> Sequence[DeadLetterRow]:
    """All counts."""
    query = select(DeadLetterRow).order_by(col(DeadLetterRow.service), col(DeadLetterRow.cause))
    return list(await session.scalars(query))
