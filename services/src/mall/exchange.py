"""Live rows become those of the fresh tables: only what differs is written, in the transaction of the last step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, Insert, Table, and_, delete, exists, func, insert, literal, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mall.rebuilt import Change
from mall.shadow import INBOX, Shadow

Stays = Callable[[Table, Table], ColumnElement[bool]]
"""Which rows of the live table (first) stay, whatever the fresh one (second) says: those that the topics no longer tell."""


def same_key(live: Table, fresh: Table) -> ColumnElement[bool]:
    """Rows with the same primary key."""
    return and_(*(live.c[column.name] == fresh.c[column.name] for column in live.primary_key))


def counted(statement: Insert) -> Insert:
    """An INSERT that tells how many rows it wrote; SQLAlchemy drops the number otherwise."""
    return statement.execution_options(preserve_rowcount=True)


async def exchange(shadow: Shadow, name: str, *, stays: Stays | None = None) -> Change:
    """Make a live table equal to its fresh one, but for rows that stay. Without `stays` none does."""
    live, fresh = shadow.live[name], shadow.tables[name]
    kept = literal(False) if stays is None else stays(live, fresh)
    others = [column.name for column in live.columns if not column.primary_key]
    equal = and_(same_key(live, fresh), *(live.c[other].is_not_distinct_from(fresh.c[other]) for other in others))
    is_other = not_(exists().where(equal).correlate(live))
    connection = shadow.connection
    stayed = (
        0 if stays is None else await _count(connection, select(func.count()).select_from(live).where(kept, is_other))
    )
    taken_out = await connection.execute(delete(live).where(is_other, not_(kept)))
    names = [column.name for column in live.columns]
    absent = select(*(fresh.c[each] for each in names)).where(
        not_(exists().where(same_key(live, fresh)).correlate(fresh))
    )
    put_in = await connection.execute(counted(insert(live).from_select(names, absent)))
    return Change(name=name, put_in=put_in.rowcount, taken_out=taken_out.rowcount, stayed=stayed)


async def remember(shadow: Shadow, *, groups: Sequence[str]) -> int:
    """Let the live inbox know what the fresh tables hold already, so that the running groups do not do it again; how many events.

    What lies before the oldest row that the live inbox has of a partition was handled and forgotten, and is not written again.
    """
    live, fresh = shadow.live[INBOX], shadow.tables[INBOX]
    place = ("consumer", "topic", "partition")
    firsts = select(*(live.c[name] for name in place), func.min(live.c.offset).label("first"))
    oldest = firsts.group_by(*(live.c[name] for name in place)).subquery()
    names = [column.name for column in live.columns]
    same_place = and_(*(oldest.c[name] == fresh.c[name] for name in place))
    rows = (
        select(*(fresh.c[name] for name in names))
        .select_from(fresh.outerjoin(oldest, same_place))
        .where(fresh.c.consumer.in_(groups), fresh.c.offset >= func.coalesce(oldest.c.first, 0))
        .where(not_(exists().where(same_key(live, fresh)).correlate(fresh)))
    )
    written = await shadow.connection.execute(counted(insert(live).from_select(names, rows)))
    return written.rowcount


async def _count(connection: AsyncConnection, query: object) -> int:
    return int(await connection.scalar(query) or 0)  # type: ignore[call-overload]  # any SELECT of a number
