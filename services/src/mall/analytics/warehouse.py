"""The warehouse: events in Parquet files, one record and day a folder, listed in a table.

Law 1: a file belongs to the warehouse if the table lists it. It is written first and listed in the transaction that forgets its
rows, so a death in between leaves a file that nobody lists and rows that get another one.
A file that a rebuild writes stands in a table of its own until it is listed.
Law 2: what waits for its file is asked as well, so an answer knows every event that was handled.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mall.analytics import parquet, store
from mall.analytics.flattening import BY_NAME, columns
from mall.analytics.reports import Report
from mall.analytics.tables import WarehouseFile, WarehouseRow
from mall.work import Desk, Work

FULL = 1_000
LOOK_SECONDS, LOOKS = 5.0, 12
LISTINGS = 3
log = logging.getLogger("mall.analytics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """Packs rows into files below `folder` and answers questions about all of them."""

    folder: Path
    desk: Desk
    mark: str = ""
    """Ends the names of files: a rebuild writes beside files that are in use."""
    announce: Callable[[Path], Awaitable[None]] | None = None
    """Is told a file's path before it is written."""

    async def clear(self) -> int:
        """Delete files that are not listed: their writer died; answers how many."""
        async with self.desk.look() as session:
            listed = {self.folder / row.path for row in await store.files(session)}
            rebuilt = {self.folder / path for path in await store.rebuilt_files(session)}
            listed |= rebuilt | {parquet.beside(path) for path in rebuilt}
        return await asyncio.to_thread(_delete_others, self.folder, listed)

    async def pack(self, *, at_least: int = 1) -> int:
        """Write files for records of which at least so many rows of a day wait; answers how many files."""
        async with self.desk.look() as session:
            waiting = await store.waiting(session)
        packed = 0
        for record, day, number in waiting:
            for _ in range(0, number if number >= at_least else 0, FULL):
                async with self.desk.open() as work:
                    packed += await self._pack_one(work, record, day)
        return packed

    async def ask(self, report: Report) -> tuple[list[str], list[list[Any]]]:
        """The columns and rows of a report."""
        for _ in range(LISTINGS - 1):
            try:
                return await self._ask(report)
            except parquet.FileGone:
                continue  # a rebuild has swapped the files since they were listed
        return await self._ask(report)

    async def _ask(self, report: Report) -> tuple[list[str], list[list[Any]]]:
        async with self.desk.look() as session:
            # Rows first: those that get their file in between are then read twice rather than never, and told apart by their id.
            rows = await store.all_waiting(session)
            files = await store.files(session)
        return await asyncio.to_thread(_answer, self.folder, report, files, rows)

    async def _pack_one(self, work: Work, record: str, day: date) -> int:
        rows = await store.take_rows(work.session, record=record, day=day, at_most=FULL)
        if not rows:
            return 0
        first = rows[0]
        # The id too: a topic that was made anew counts its offsets from 0 again.
        name = f"p{first.partition}-{first.offset}-{first.event_id.hex}{self.mark}.parquet"
        path = Path(first.topic) / record / f"dt={day}" / name
        values = [_values(row) for row in rows]
        if self.announce is not None:
            await self.announce(path)
        await asyncio.to_thread(parquet.write, self.folder / path, columns=columns(BY_NAME[record]), rows=values)
        listed = WarehouseFile(path=str(path), record=record, day=day, rows=len(rows), written_at=work.now)
        work.session.add(listed)
        await store.drop_rows(work.session, rows)
        return 1


async def pack_for_ever(warehouse: Warehouse) -> None:
    """Begin by clearing; then pack what is full every few seconds, and everything each minute."""
    full = partial(warehouse.pack, at_least=FULL)
    await _patiently(warehouse.clear)
    while True:
        for _ in range(LOOKS):
            await asyncio.sleep(LOOK_SECONDS)
            await _patiently(full)
        await _patiently(warehouse.pack)


async def _patiently(work: Callable[[], Awaitable[int]]) -> None:
    try:
        await work()
    except (DBAPIError, PoolTimeout, OSError) as error:
        log.warning("The warehouse could not be packed: %s", type(error).__name__)


def _values(row: WarehouseRow) -> dict[str, Any]:
    event = BY_NAME[row.record]
    own = {
        "event_id": str(row.event_id),
        "event_type": event.__event_type__,
        "partition": row.partition,
        "offset": row.offset,
    }
    return {**own, **row.columns}


def _answer(
    folder: Path, report: Report, files: Sequence[WarehouseFile], rows: Sequence[WarehouseRow]
) -> tuple[list[str], list[list[Any]]]:
    of_record: dict[str, list[dict[str, Any]]] = defaultdict(list)
    listed: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        listed[file.record].append(folder / file.path)
    for row in rows:
        of_record[row.record].append(_values(row))
    with parquet.Tables() as tables:
        for event in report.records:
            name = event.__name__
            tables.add(name, columns=columns(event), files=listed[name], rows=of_record[name])
        return tables.ask(report.sql)


def _delete_others(folder: Path, listed: set[Path]) -> int:
    others = [path for path in folder.rglob("*") if path.is_file() and path not in listed]
    for path in others:
        path.unlink(missing_ok=True)
    return len(others)
