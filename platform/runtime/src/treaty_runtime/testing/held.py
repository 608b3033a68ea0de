"""The table of held records in memory, held to the same conformance suite as the one in a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from treaty_runtime.errors import Outage
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.held import AlreadyReleased, Held


class MemoryHeldRecords:
    """Held records of tests; ``is_away`` says whether the database is away now."""

    def __init__(self, *, is_away: Callable[[], bool] = lambda: False) -> None:
        self._is_away = is_away
        self._rows: dict[tuple[str, Place], Held] = {}

    async def load(self, group: str, partition: Partition) -> list[Held]:
        """Everything held of one partition, without values."""
        self._answer()
        places = sorted(place for owner, place in self._rows if owner == group and place.of == partition)
        return [replace(row, record=_bare(row.record)) for row in (self._rows[group, place] for place in places)]

    async def hold(self, group: str, rows: Sequence[Held]) -> None:
        """Adds records."""
        self._answer()
        for row in rows:
            self._rows.setdefault((group, row.place), row)

    async def again(self, group: str, row: Held) -> None:
        """Another attempt failed."""
        self._answer()
        if (group, row.place) in self._rows:
            self._rows[group, row.place] = replace(row, begun=0)

    async def fetch(self, group: str, place: Place) -> Held | None:
        """The whole record; its attempt is begun."""
        self._answer()
        row = self._rows.get((group, place))
        if row is not None:
            self._rows[group, place] = replace(row, begun=row.begun + 1)
        return row

    async def spare(self, group: str, places: Sequence[Place]) -> None:
        """What was begun was cut off in good order."""
        self._answer()
        for place in places:
            if (group, place) in self._rows:
                self._rows[group, place] = replace(self._rows[group, place], begun=0)

    async def release(self, session: Any, group: str, place: Place) -> None:
        """Deletes the row if the handler succeeds."""
        if (group, place) not in self._rows:
            raise AlreadyReleased
        session.staged.append(lambda: self._rows.pop((group, place), None))

    async def drop(self, group: str, place: Place) -> None:
        """Deletes the row."""
        self._answer()
        self._rows.pop((group, place), None)

    def _answer(self) -> None:
        if self._is_away():
            raise Outage("The database is away.", dependency="database")


def _bare(record: Record) -> Record:
    return Record(record.place, record.key, b"", record.headers, record.timestamp_ms, record.is_log_append_time)
