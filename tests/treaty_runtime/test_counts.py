"""What a thousand records cost in wake-ups, thread hops, commits and questions: counts, the same on every machine."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import OrderCreated
from tests.treaty_runtime.relaying import Sessions
from tests.treaty_runtime.shop import QUICK, Shop, group_of, order, recording
from tests.treaty_runtime.statements import counted
from treaty_runtime.consume.consumer import Consumer
from treaty_runtime.consume.reader import Reader
from treaty_runtime.kafka import KafkaSource
from treaty_runtime.kafka.config import consumer_config
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql.inbox import Inbox
from treaty_runtime.testing import VirtualClock
from treaty_runtime.testing.chaos import Chaos

RECORDS, PARTITIONS = 3_000, 4


class CountedSource(KafkaSource):
    """Counts what its thread hands over."""

    posted = 0

    def _post(self, event: Any) -> None:
        self.posted += 1
        super()._post(event)


@contextmanager
def hops() -> Iterator[Counter[str]]:
    """Counts calls between the running loop and other threads."""
    loop, counts = asyncio.get_running_loop(), Counter[str]()
    kept: dict[str, Callable[..., Any]] = {
        name: getattr(loop, name) for name in ("call_soon_threadsafe", "run_in_executor")
    }

    def watched(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            counts[name] += 1
            return kept[name](*arguments, **options)

        return call

    for name in kept:
        setattr(loop, name, watched(name))
    try:
        yield counts
    finally:
        for name in kept:
            delattr(loop, name)


async def test_consuming_wakes_the_loop_once_a_batch_and_commits_once_a_thousand() -> None:
    seen: list[int] = []
    with Chaos() as chaos:
        chaos.topic(OrderCreated.__topic__, partitions=PARTITIONS)
        shop = Shop(chaos.bootstrap)
        await shop.publisher.publish_many([order(number, f"o-{number % 50}") for number in range(RECORDS)])
        asked = shop.registry.questions
        group = group_of(recording(seen), has_retry_topics=False)
        settings = KafkaSettings(brokers=chaos.bootstrap, extra=QUICK)
        source = CountedSource(consumer_config(settings, group=group.name), topics=group.subscription)
        consumer = Consumer(
            group,
            connect=lambda: source,
            reader=Reader(group, shop.serde),
            producer=shop.producer,
            random=lambda: 0.5,
            clock=VirtualClock(datetime(2026, 3, 4, tzinfo=UTC)),  # no second passes: only completions commit
        )
        chaos.watch()
        with hops() as counts:
            task = asyncio.create_task(consumer.run())
            await eventually(lambda: len(seen) == RECORDS and consumer.is_idle)
        commits = sum(request.api == "OffsetCommit" for request in chaos.requests())
        await consumer.stop()
        await task
        await shop.producer.close()
    assert commits <= RECORDS / 1_000 + PARTITIONS, "before its first record each partition is marked"
    assert counts["call_soon_threadsafe"] <= source.posted + commits, (
        "one for each event of the source, one for each commit"
    )
    assert counts["run_in_executor"] == 0
    assert shop.registry.questions - asked <= 3, "the same for any number of records"


async def test_a_thousand_events_with_an_inbox_cost_a_statement_and_a_commit_each(
    database: AsyncEngine, sessions: Sessions
) -> None:
    seen: list[int] = []
    sql_commits = 0

    def count(_connection: object) -> None:
        nonlocal sql_commits
        sql_commits += 1

    with Chaos() as chaos:
        chaos.topic(OrderCreated.__topic__, partitions=PARTITIONS)
        shop = Shop(chaos.bootstrap)
        await shop.publisher.publish_many([order(number, f"o-{number % 50}") for number in range(1_000)])
        group = group_of(recording(seen), has_retry_topics=False, workers=4)
        listen(database.sync_engine, "commit", count)
        with counted(database) as statements, hops() as counts:
            async with shop.running(group, effects=Inbox(sessions)) as consumer:
                await eventually(lambda: len(seen) == 1_000 and consumer.is_idle)
                hopped = counts["run_in_executor"]
        await shop.producer.close()
    assert len(statements) == 1_000
    assert sql_commits == 1_000
    assert hopped == 0


async def test_publishing_needs_no_other_thread_and_asks_the_registry_once() -> None:
    with Chaos() as chaos:
        chaos.topic(OrderCreated.__topic__, partitions=4)
        shop = Shop(chaos.bootstrap)
        with hops() as counts:
            await asyncio.gather(*(shop.publisher.publish(order(number)) for number in range(1_000)))
        await shop.producer.close()
    assert not counts
    assert shop.registry.questions == 1
