"""What is there afterwards, read from the topic, the tables and the group: the entries that the checker judges."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import psycopg

from tests.treaty_runtime.order_events import OrderCreated
from treaty_avro import compile_decoder
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.testing.checker import Entry
from treaty_runtime.wire.headers import ID, first_values


def in_topic(bootstrap: str, topic: str) -> list[Entry]:
    """Every record of the topic, with the key and sequence of its event."""
    decode = compile_decoder(OrderCreated)
    entries = []
    for record in records(bootstrap, topic):
        event = decode(record.value or b"", 5)
        entries.append(
            Entry(
                t=0,
                process="topic",
                op="record",
                key=event.order_id,
                sequence=event.number,
                event_id=event_id_of(record),
                place=record.place,
            )
        )
    return entries


def records(bootstrap: str, topic: str) -> Iterator[Record]:
    """Everything that a topic holds now."""
    with Log(bootstrap, timeout=60) as log:
        yield from log.read(log.spans([topic]))


def event_id_of(record: Record) -> str:
    """The id in its headers."""
    return first_values(record.headers)[ID].decode()


def effects(database: str) -> list[Entry]:
    """Every effect that was committed; of one key they stand in the order in which they happened."""
    sql = "SELECT at, key, sequence, event_id, process FROM effect ORDER BY at"
    with psycopg.connect(plain(database)) as connection:
        rows = connection.execute(sql).fetchall()
    return [
        Entry(t=at, process=process, op="effect", key=key, sequence=sequence, event_id=event_id)
        for at, key, sequence, event_id, process in rows
    ]


def without_effect(database: str, events: Iterable[str]) -> set[str]:
    """Those of the events that had none yet: little is read, however many effects there are."""
    sql = "SELECT unnest(%s::text[]) EXCEPT SELECT event_id FROM effect"
    with psycopg.connect(plain(database)) as connection:
        return {row[0] for row in connection.execute(sql, [list(events)])}


def commits(bootstrap: str, group: str, topic: str) -> list[Entry]:
    """What the group has committed, as commits after everything else."""
    offsets = committed(bootstrap, group, topic)
    return [
        Entry(t=math.inf, process=group, op="commit", place=Place(*partition, offset))
        for partition, offset in offsets.items()
    ]


def committed(bootstrap: str, group: str, topic: str) -> dict[Partition, int]:
    """The group's offsets."""
    with Log(bootstrap, timeout=60) as log:
        partitions = log.partitions([topic])
    return Groups(bootstrap, timeout=60).committed(group, partitions)


def behind(bootstrap: str, group: str, topic: str) -> int:
    """How many offsets of the topic the group has not committed."""
    offsets = committed(bootstrap, group, topic)
    with Log(bootstrap, timeout=60) as log:
        spans = log.spans([topic])
    return sum(end - offsets.get(partition, start) for partition, (start, end) in spans.items())


def staged(events: Iterable[tuple[str, int, str, str]]) -> list[Entry]:
    """What transactions staged: key, sequence, event id, and how the transaction ended."""
    return [
        Entry(t=0, process="requests", op="stage", key=key, sequence=sequence, event_id=event_id, outcome=outcome)
        for key, sequence, event_id, outcome in events
    ]


def plain(database: str) -> str:
    """The address as libpq reads it."""
    return database.replace("+psycopg", "")
