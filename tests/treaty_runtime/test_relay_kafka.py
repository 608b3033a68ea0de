"""What a relay does with rows that a real broker does not take: each kind of failure on a real Kafka and both databases."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from tests.treaty_runtime.order_events import FakeRegistry
from tests.treaty_runtime.relaying import running, until
from tests.treaty_runtime.test_runtime_kafka import _create, _event_on
from treaty_runtime.admin import Cluster
from treaty_runtime.clock import utcnow
from treaty_runtime.hooks import Hooks, PublishRefused
from treaty_runtime.kafka import KafkaProducer
from treaty_runtime.kafka.config import relay_config
from treaty_runtime.kafka.log import Log
from treaty_runtime.publish.backlog import Backlog
from treaty_runtime.publish.late_ids import LateIds
from treaty_runtime.publish.lease import Lease
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.publish.outbox_desk import OutboxDesk
from treaty_runtime.publish.relay import Relay
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql.tables import FailedRow
from treaty_runtime.transport import LeaseFence
from treaty_runtime.wire.serde import Serde

pytestmark = pytest.mark.kafka


async def test_a_missing_topic_holds_its_key_a_refused_row_is_set_aside_and_the_others_go_on(
    kafka: str, unique: Callable[[str], str], database: AsyncEngine
) -> None:
    there, missing, small = (_event_on(unique(name)) for name in ("orders", "missing", "small"))
    await _create(kafka, there.__topic__)
    with Cluster(kafka) as cluster:
        cluster.create(small.__topic__, partitions=1, replication=1, config={"max.message.bytes": "2000"})
        cluster.await_topics([small.__topic__])
    classes = (there, missing, small)
    serde = Serde(FakeRegistry(*classes))
    told: list[object] = []
    outbox = Outbox(serde, service="order", now=utcnow, entropy=os.urandom)
    producer = KafkaProducer(relay_config(KafkaSettings(brokers=kafka)))
    relay = Relay(
        backlog=Backlog(database),
        lease=Lease(database, owner="relay", clock=time.monotonic),
        fence=LeaseFence(producer),
        late_ids=LateIds(serde, {each.__avro_fullname__: each for each in classes}),
        registry_url="http://registry:8081",
        clock=time.monotonic,
        random=random.random,
        hooks=Hooks([told.append]),
    )
    sessions = async_sessionmaker(database, expire_on_commit=False)

    async def stage(event: type, order_id: str, number: int) -> None:
        async with sessions.begin() as session:
            outbox.stage(session, event(order_id=order_id, number=number), key=order_id[:20])

    large = "x" * 20 + os.urandom(4000).hex()
    for order_id, event in (("a", there), ("b", missing), (large, small), ("x" * 20, small), ("a", there)):
        await stage(event, order_id, 1)
    desk = OutboxDesk(database)
    async with running(relay):

        async def settled() -> bool:
            waiting = await desk.waiting(after=0, limit=10)
            return len(waiting) == 3 and len(await desk.failed(limit=10)) == 1

        await until(settled)
        async with sessions() as session:
            (failed,) = (await session.scalars(select(FailedRow))).all()
        assert failed.code == "MSG_SIZE_TOO_LARGE"
        assert [type(hook) for hook in told if isinstance(hook, PublishRefused)] == [PublishRefused]
        assert [row.topic for row in await desk.waiting(after=0, limit=10)] == [
            missing.__topic__,
            *[small.__topic__] * 2,
        ]
        await _create(kafka, missing.__topic__)  # an operator makes the topic, and gives the large row up
        await desk.drop([failed.position])

        async def nothing_waits() -> bool:
            return not await desk.waiting(after=0, limit=10)

        await until(nothing_waits)
    await producer.close()
    with Log(kafka) as log:
        topics = [each.__topic__ for each in classes]
        sent = [(record.place.topic, record.key) for record in log.read(log.spans(topics))]
    assert sorted(sent) == sorted(
        [(there.__topic__, b"a")] * 2 + [(missing.__topic__, b"b"), (small.__topic__, b"x" * 20)]
    )
