"""Counters and the warehouse, made anew from their topics.

Laws. 1. New files have names of their own and stand in `warehouse_rebuilt_file` before they are written, so that no start of the
service clears them away; the transaction of the last step lists them. 2. Minutes and days that the topics tell only in part, or
not at all, stay as they are.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import ColumnElement, Table, and_, delete, false, func, insert, not_, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mall.analytics import parquet, store
from mall.analytics.app import create
from mall.analytics.domain import TOLD_BY
from mall.analytics.flattening import BY_NAME
from mall.analytics.tables import RebuiltFile, metadata
from mall.analytics.warehouse import Warehouse
from mall.exchange import Stays, counted, exchange
from mall.rebuilt import Change, History, Rebuilt
from mall.retelling import Model, rebuild_tables
from mall.shadow import Shadow
from mall.work import Desk
from mall_events.analytics import AnalyticsRecorded
from treaty_runtime.clock import utcnow

FILES, ROWS = "warehouse_file", "warehouse_row"
TABLES = (ROWS, FILES, "counter")
"""A writer of files locks the rows before it lists the file."""
log = logging.getLogger("mall.analytics")


async def rebuild(env: Mapping[str, str], *, despite_failures: bool) -> Rebuilt:
    """Make the counters and the warehouse anew."""
    app, settings = create(env)
    runtime, rebuilding = app.state.runtime, Rebuilding(app.state.warehouse)
    try:
        rebuilt = await rebuild_tables(
            model(rebuilding), runtime=runtime, settings=settings, despite_failures=despite_failures, now=utcnow
        )
        await rebuilding.end()
        return rebuilt
    finally:
        await runtime.stop()
        await runtime.sql.sessions.kw["bind"].dispose()


def model(rebuilding: Rebuilding) -> Model:
    """Both groups' tables."""
    return Model(
        metadata=metadata,
        groups=["analytics-service", "analytics-warehouse"],
        tables=TABLES,
        swap=rebuilding.swap,
        prepare=rebuilding.write_files,
    )


@dataclass(slots=True)
class Rebuilding:
    """One rebuild: what it writes beside the warehouse in use, and which files go when it is through."""

    warehouse: Warehouse
    mark: str = field(default_factory=lambda: f"-{uuid.uuid4().hex[:12]}")
    replaced: list[str] = field(default_factory=list)

    async def write_files(self, shadow: Shadow) -> None:
        """Files for all that was read so far; first those of a rebuild that died go."""
        await self._clear_left()
        desk = self.warehouse.desk
        apart = Desk(
            sessions=shadow.sessions, readers=shadow.sessions, stage=desk.stage, schedule=desk.schedule, now=desk.now
        )
        beside = Warehouse(folder=self.warehouse.folder, desk=apart, mark=self.mark, announce=self._announce)
        await beside.pack()

    async def swap(self, shadow: Shadow, history: History) -> Sequence[Change]:
        """Counters and files become the new ones."""
        days = {name: cut.date() for name, event in BY_NAME.items() if (cut := history.cut([event.__topic__]))}
        await _leave_out_days(shadow, days)
        live = shadow.live[FILES]
        before = {path for (path,) in await shadow.connection.execute(select(live.c.path))}
        files = await exchange(shadow, FILES, stays=lambda live, _fresh: _on_days(live, days))
        after = {path for (path,) in await shadow.connection.execute(select(live.c.path))}
        self.replaced = sorted(before - after)
        return [files, await _exchange_rows(shadow, days), await exchange(shadow, "counter", stays=_counted(history))]

    async def end(self) -> None:
        """Files that are listed no more go. Those that a death or an outage leaves here go at the service's next start."""
        try:
            async with self.warehouse.desk.open() as work:
                await store.forget_rebuilt(work.session)
            await asyncio.to_thread(_delete, self.warehouse.folder, self.replaced)
        except (DBAPIError, PoolTimeout, OSError) as error:  # the swap has happened, and must not be told as failed
            log.warning("Replaced files stay until the service starts again: %s", type(error).__name__)

    async def _announce(self, path: Path) -> None:
        async with self.warehouse.desk.open() as work:
            work.session.add(RebuiltFile(path=str(path)))

    async def _clear_left(self) -> None:
        async with self.warehouse.desk.look() as session:
            listed = {row.path for row in await store.files(session)}
            rebuilt = await store.rebuilt_files(session)
        left = [path for path in rebuilt if path not in listed]
        left += [str(parquet.beside(Path(path))) for path in left]
        await asyncio.to_thread(_delete, self.warehouse.folder, left)
        async with self.warehouse.desk.open() as work:
            await store.forget_rebuilt(work.session)


async def _leave_out_days(shadow: Shadow, days: Mapping[str, date]) -> None:
    """Days that the topics tell in part are as the warehouse has them, if it has anything of them."""
    for name in (FILES, ROWS):
        fresh = shadow.tables[name]
        found = await shadow.connection.execute(
            select(fresh.c.record, fresh.c.day).where(_on_days(fresh, days)).distinct()
        )
        for record, day in found.all():
            if await _knows(shadow, record, day):
                await shadow.connection.execute(delete(fresh).where(fresh.c.record == record, fresh.c.day == day))


async def _knows(shadow: Shadow, record: str, day: date) -> bool:
    for name in (FILES, ROWS):
        live = shadow.live[name]
        query = select(live.c.day).where(live.c.record == record, live.c.day == day).limit(1)
        if (await shadow.connection.execute(query)).first():
            return True
    return False


async def _exchange_rows(shadow: Shadow, days: Mapping[str, date]) -> Change:
    """All of them: where a row waits for its file says nothing about whether it is the same."""
    live, fresh = shadow.live[ROWS], shadow.tables[ROWS]
    stayed = await shadow.connection.scalar(select(func.count()).select_from(live).where(_on_days(live, days)))
    gone = await shadow.connection.execute(delete(live).where(not_(_on_days(live, days))))
    names = [column.name for column in live.columns if not column.primary_key]
    ordered = select(*(fresh.c[name] for name in names)).order_by(fresh.c.number)
    come = await shadow.connection.execute(counted(insert(live).from_select(names, ordered)))
    return Change(name=ROWS, put_in=come.rowcount, taken_out=gone.rowcount, stayed=int(stayed or 0))


def _on_days(table: Table, days: Mapping[str, date]) -> ColumnElement[bool]:
    return or_(false(), *(and_(table.c.record == record, table.c.day <= day) for record, day in days.items()))


def _counted(history: History) -> Stays:
    def stays(live: Table, _fresh: Table) -> ColumnElement[bool]:
        cuts = {name: history.cut([event.__topic__]) for name, event in TOLD_BY.items()}
        own = history.cut([AnalyticsRecorded.__topic__])
        return or_(
            false(),
            *(and_(live.c.name == name, live.c.minute < cut) for name, cut in cuts.items() if cut is not None),
            *([and_(live.c.name.startswith("event:"), live.c.minute < own)] if own is not None else []),
        )

    return stays


def _delete(folder: Path, paths: Sequence[str]) -> None:
    for path in paths:
        (folder / path).unlink(missing_ok=True)
