"""A handler that takes longer than `max.poll.interval.ms` is no dead member: it runs once, and nobody else gets its partition."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.parts.waiting import eventually
from tests.reliability.service import SESSION_MS, event_on
from tests.reliability.stack import Stack
from tests.treaty_runtime.order_events import FakeRegistry
from treaty_runtime.event import Context
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import Rebalanced
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings

SLOW_SECONDS = SESSION_MS / 1000 * 1.5


@pytest.mark.chaos
@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.xdist_group("reliability")
async def test_a_handler_slower_than_the_poll_interval_runs_once(kafka: str, postgres: str) -> None:
    stack = Stack(bootstrap=kafka, database=postgres)
    engine = await stack.prepare()
    await engine.dispose()
    event, handlers, begun, done = event_on(stack.topic), Handlers(), list[str](), list[str]()

    @handlers.on(event)
    async def slow(order: Any, _context: Context) -> None:
        begun.append(order.order_id)
        if order.order_id == "o-0":
            await asyncio.sleep(SLOW_SECONDS)  # what is tested: nothing is waited for
        done.append(order.order_id)

    short = {"consumer.session.timeout.ms": SESSION_MS, "consumer.max.poll.interval.ms": SESSION_MS}
    heard: list[Rebalanced] = []
    runtime = Runtime(
        service="order",
        settings=KafkaSettings(brokers=kafka, extra=short),
        events={event.__avro_fullname__: event},
        groups=[Group(stack.group, handlers, dead_letter=stack.dead_letter, has_retry_topics=False)],
        observers=[lambda seen: heard.append(seen) if isinstance(seen, Rebalanced) else None],
        registry=FakeRegistry(event),
    )
    async with runtime:
        await runtime.publisher.publish_many(
            [event(order_id=f"o-{number}", number=1) for number in range(30)]  # type: ignore[call-arg]  # a Protocol has no constructor
        )
        await eventually(lambda: "o-0" in done, 60)
        assert not [each for each in heard if each.lost or each.revoked]
    assert sorted(begun) == sorted(done) == sorted(f"o-{number}" for number in range(30))
