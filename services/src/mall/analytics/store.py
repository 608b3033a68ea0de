"""Every query of the analytics service; sessions are passed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.analytics.tables import CounterRow, RebuiltFile, WarehouseFile, WarehouseRow
from mall.upsert import insert


async def add(session: AsyncSession, counts: Mapping[tuple[str, datetime], int]) -> None:
    """Add to counters, in the order of their names, so that two transactions never wait for each other."""
    if not counts:
        return
    rows = [{"name": name, "minute": minute, "value": value} for (name, minute), value in sorted(counts.items())]
    added = insert(session, CounterRow).values(rows)
    await session.execute(
        added.on_conflict_do_update(
            index_elements=["name", "minute"], set_={"value": col(CounterRow.value) + added.excluded.value}
        )
    )


async def totals(session: AsyncSession, *, since: datetime) -> Counter[str]:
    """What was counted since a minute, by name."""
    query = select(col(CounterRow.name), func.sum(col(CounterRow.value))).where(col(CounterRow.minute) >= since)
    return Counter({name: int(value) for name, value in await session.execute(query.group_by(col(CounterRow.name)))})


async def waiting(session: AsyncSession) -> Sequence[tuple[str, date, int]]:
    """Record, day and number of rows that wait for a file."""
    parts = col(WarehouseRow.record), col(WarehouseRow.day)
    rows = await session.execute(select(*parts, func.count()).group_by(*parts).order_by(*parts))
    return [(record, day, int(number)) for record, day, number in rows]


async def take_rows(session: AsyncSession, *, record: str, day: date, at_most: int) -> Sequence[WarehouseRow]:
    """The oldest rows of a record and day, locked."""
    query = select(WarehouseRow).where(col(WarehouseRow.record) == record, col(WarehouseRow.day) == day)
    return list(await session.scalars(query.order_by(col(WarehouseRow.number)).limit(at_most).with_for_update()))


async def drop_rows(session: AsyncSession, rows: Sequence[WarehouseRow]) -> None:
    """Rows have their file: they wait no more."""
    # One text for any number of them: a list of its own length each time would be prepared, and kept, each time.
    drop = delete(WarehouseRow).where(col(WarehouseRow.number) == bindparam("dropped"))
    await (await session.connection()).execute(drop, [{"dropped": row.number} for row in rows])


async def all_waiting(session: AsyncSession) -> Sequence[WarehouseRow]:
    """Every row that waits for its file."""
    return list(await session.scalars(select(WarehouseRow).order_by(col(WarehouseRow.number))))


async def files(session: AsyncSession) -> Sequence[WarehouseFile]:
    """The files of the warehouse."""
    return list(await session.scalars(select(WarehouseFile).order_by(col(WarehouseFile.path))))


async def rebuilt_files(session: AsyncSession) -> Sequence[str]:
    """Paths of files that a rebuild is writing, or left when it died."""
    return list(await session.scalars(select(col(RebuiltFile.path))))


async def forget_rebuilt(session: AsyncSession) -> None:
    """The rebuild has ended: its files are listed, or gone."""
    await session.execute(delete(RebuiltFile))
