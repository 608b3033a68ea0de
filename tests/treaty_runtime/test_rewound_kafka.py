"""A topic that is deleted and made anew under a running group, on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.treaty_runtime.order_events import FakeRegistry
from tests.treaty_runtime.relaying import until
from treaty_runtime.admin import Cluster
from treaty_runtime.event import Context, Partition, Place, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import Rewound
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import Outgoing

FORMER, ANEW = 40, 3


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
    assert [hook.place for hook in told if isinstance(hook, Rewound)] == [Place(topic, 0, 0)]
