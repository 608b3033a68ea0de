"""Records between two places of topics, read once and in order, without a group. Blocking parts run in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from treaty_runtime.clock import EPOCH
from treaty_runtime.event import Partition, Record
from treaty_runtime.kafka.config import security_config
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.seek import Kind, Seek, Span, target
from treaty_runtime.settings import KafkaSettings

CHUNK = 500


class KafkaBounds:
    """Finds and reads spans of a cluster's topics. Use as a context manager."""

    def __init__(self, settings: KafkaSettings) -> None:
        extra = security_config(settings)
        self._log, self._groups = Log(settings.brokers, extra=extra), Groups(settings.brokers, extra=extra)

    def close(self) -> None:
        """Ends the connections."""
        self._log.__exit__(None, None, None)

    async def spans(self, topics: Sequence[str], *, start: Seek, end: Seek) -> dict[Partition, Span]:
        """What lies between two places in each partition of the topics, within what the topics hold now."""
        return await asyncio.to_thread(self._spans, topics, start, end)

    async def read(self, spans: Mapping[Partition, Span]) -> AsyncIterator[Sequence[Record]]:
        """The records of the spans, some at a time, in order within each partition."""
        records = self._log.read(spans)
        while chunk := await asyncio.to_thread(lambda: list(islice(records, CHUNK))):
            yield chunk

    def at(self, partition: Partition, when: datetime) -> int:
        """The first offset of a partition whose record is not older than ``when``; its end, if all are older."""
        return self._at([partition], when)[partition]

    def _spans(self, topics: Sequence[str], start: Seek, end: Seek) -> dict[Partition, Span]:
        held = self._log.spans(topics)
        first, last = self._targets(held, start), self._targets(held, end)
        found: dict[Partition, Span] = {}
        for partition, (low, high) in held.items():
            found[partition] = max(low, first[partition]), min(high, last[partition])
        return found

    def _targets(self, held: Mapping[Partition, Span], seek: Seek) -> dict[Partition, int]:
        times = self._at(list(held), seek.at) if seek.kind is Kind.TIME and seek.at is not None else {}
        targets: dict[Partition, int] = {}
        for partition, span in held.items():
            found = target(seek, span, committed=None, at_time=times.get(partition))
            targets[partition] = span[0] if found is None else found
        return targets

    def _at(self, partitions: Sequence[Partition], when: datetime) -> dict[Partition, int]:
        found = self._groups.offsets_at(partitions, when)
        ends = self._log.spans({each.topic for each in partitions})
        return {
            partition: self._searched(partition, ends[partition], when) if offset >= ends[partition][1] else offset
            for partition, offset in found.items()
        }

    def _searched(self, partition: Partition, span: Span, when: datetime) -> int:
        """By halves, where the broker says that nothing is so new although the last record is: it does not index every timestamp."""
        low, high = span
        last = self._first_at(partition, high - 1, high) if high > low else None
        if last is None or _time(last) < when:
            return high
        while low < high:
            middle = (low + high) // 2
            record = self._first_at(partition, middle, span[1])
            if record is None or _time(record) >= when:
                high = middle
            else:
                low = record.place.offset + 1
        return low

    def _first_at(self, partition: Partition, offset: int, end: int) -> Record | None:
        return next(self._log.read({partition: (offset, end)}), None)


def _time(record: Record) -> datetime:
    return EPOCH + timedelta(milliseconds=max(record.timestamp_ms, 0))
