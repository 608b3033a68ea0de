"""After a restore: which outbox rows reached their topics before, found by event id on the topics themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from treaty_runtime.event import Partition, Record
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log, Span
from treaty_runtime.publish.outbox_desk import OutboxDesk, Staged
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.headers import first_values, read_text

MARGIN = timedelta(minutes=10)
"""How far the clocks of a database and of a broker may be apart."""
ROWS_AT_A_TIME = 1_000


class Records(Protocol):
    """The records of topics since an instant."""

    def since(self, topics: Sequence[str], at: datetime) -> Iterator[Record]: ...


class KafkaRecords:
    """Them on a cluster."""

    def __init__(self, log: Log, groups: Groups) -> None:
        self._log, self._groups = log, groups

    def since(self, topics: Sequence[str], at: datetime) -> Iterator[Record]:
        """Records that the broker has from ``at`` on; nothing of topics that do not exist."""
        spans: dict[Partition, Span] = self._log.spans(topics)
        starts = self._groups.offsets_at(spans, at)
        return self._log.read(
            {partition: (starts.get(partition, span[0]), span[1]) for partition, span in spans.items()}
        )


async def all_rows(desk: OutboxDesk) -> list[Staged]:
    """Every row that waits, in order."""
    rows: list[Staged] = []
    while more := await desk.waiting(after=rows[-1].position if rows else 0, limit=ROWS_AT_A_TIME):
        rows += more
    return rows


def already_sent(rows: Sequence[Staged], records: Records) -> list[Staged]:
    """The rows whose event id is on their topic: the relay sent them before the database was set back."""
    if not rows:
        return []
    topics = sorted({row.topic for row in rows})
    first = min(row.created_at for row in rows) - MARGIN
    on_topics = {
        (record.place.topic, read_text(first_values(record.headers).get(names.ID)))
        for record in records.since(topics, first)
    }
    return [row for row in rows if (row.topic, str(row.id)) in on_topics]
