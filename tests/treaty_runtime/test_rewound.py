"""A log that goes on before its end: its topic was deleted and made anew, or its brokers lost records. What comes is handled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.treaty_runtime.dispatch_table import P0, P1, Table, at
from tests.treaty_runtime.order_events import FakeRegistry
from tests.treaty_runtime.relaying import until
from treaty_runtime.admin import Cluster
from treaty_runtime.consume.actions import Commit, Drop, Handle, Resume, Rewound
from treaty_runtime.event import Context, Partition, Place, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import Rewound as Told
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import Outgoing, Position

FORMER, ANEW = 40, 3


def test_what_comes_of_the_new_log_is_handled_and_its_offsets_are_committed() -> None:
    table = Table()
    table.arrive(at(1000))
    table.handled(at(1000))
    assert list(table.dispatch.tick()) == [Commit({P0: Position(1001)})]
    assert table.arrive(at(0)) == [Drop(P0, 1), Rewound(at(0)), Handle(at(0), 1, 2)]
    assert table.arrive(at(1), "b") == [Handle(at(1), 1, 2)]
    table.handled(at(0), epoch=2)
    table.handled(at(1), epoch=2)
    assert list(table.dispatch.tick()) == [Commit({P0: Position(2)})]


def test_what_was_under_way_of_the_former_log_is_given_up_and_no_answer_of_it_counts() -> None:
    table = Table()
    table.arrive(at(7), "a")
    table.arrive(at(8), "a")
    anew = Record(place=at(7), key=b"a", value=b"anew")
    assert table.arrive(at(7), "a", record=anew) == [Drop(P0, 1), Rewound(at(7)), Handle(at(7), 1, 2)]
    again = Record(place=at(7), key=b"a", value=b"anew")
    assert table.arrive(at(7), "a", record=again) == [], "it was only fetched once more"
    assert table.handled(at(7)) == [Drop(P0, 1)]
    assert list(table.dispatch.tick()) == [Commit({P0: Position(7)})]


def test_a_partition_that_was_paused_is_fetched_again() -> None:
    table = Table(P0, P1)
    for number in range(4):
        table.arrive(at(number + 10), f"k{number}")
    assert table.arrive(at(0), "k") == [Drop(P0, 1), Resume(frozenset({P0})), Rewound(at(0)), Handle(at(0), 1, 2)]


def test_in_an_outage_the_new_log_waits_like_all_others() -> None:
    table = Table(P0, P1)
    table.arrive(at(10), "a")
    table.arrive(at(3, P1), "b")
    table.outage(at(10))
    table.outage(at(3, P1))
    actions = table.arrive(at(0), "c")
    assert Rewound(at(0)) in actions
    assert not [action for action in actions if isinstance(action, Handle)]
    assert table.dispatch.assignments[P0].pauses == {"outage"}


@pytest.mark.kafka
@pytest.mark.xdist_group("kafka")
async def test_a_topic_that_is_deleted_and_made_anew_is_read_from_its_start(
    kafka: str, unique: Callable[[str], str]
) -> None:
    topic, group, seen = unique("orders"), unique("order-view"), list[tuple[bytes | None, int]]()
    handlers, told = Handlers(), list[object]()

    @handlers.raw(topic)
    async def note(record: Record, _context: Context) -> None:
        seen.append((record.value, record.place.offset))

    with Cluster(kafka) as cluster, Log(kafka) as log:

        def make(word: bytes, count: int) -> None:
            cluster.create(topic, partitions=1, replication=1, config={})
            cluster.await_topics([topic])
            for _ in range(count):
                log.append(Outgoing(topic=topic, key=None, value=word, partition=0))

        await asyncio.to_thread(make, b"former", FORMER)
        runtime = Runtime(
            service="order",
            settings=KafkaSettings(brokers=kafka, extra={"consumer.auto.offset.reset": "earliest"}),
            events={},
            groups=[Group(group, handlers, dead_letter=unique("dlq.order"), has_retry_topics=False)],
            registry=FakeRegistry(),
            observers=[told.append],
        )
        async with runtime:
            await until(lambda: len(seen) == FORMER)
            await until(lambda: Groups(kafka).committed(group, [Partition(topic, 0)]) == {Partition(topic, 0): FORMER})
            await asyncio.to_thread(cluster.delete, topic)
            await asyncio.to_thread(cluster.await_gone, [topic])
            await asyncio.to_thread(make, b"anew", ANEW)
            await until(lambda: {offset for word, offset in seen if word == b"anew"} == set(range(ANEW)))
            await until(lambda: Groups(kafka).committed(group, [Partition(topic, 0)]) == {Partition(topic, 0): ANEW})
    assert [hook.place for hook in told if isinstance(hook, Told)] == [Place(topic, 0, 0)]
