"""The runtime as a whole: an event from the caller's transaction to the effect in the reader's, and a good end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import CATALOG, FakeRegistry, OrderCreated, OrderSeen, Version
from tests.treaty_runtime.readiness import readiness_of
from tests.treaty_runtime.relaying import until
from treaty_runtime.delay.queue import DelayQueue
from treaty_runtime.delay.runner import JobContext
from treaty_runtime.errors import DuplicateGroup, InvalidSettings, NoSession, UndeclaredTopic
from treaty_runtime.event import Context
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import OutageBegan, PartBroke, SettingsWarning
from treaty_runtime.job import Job
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.tables import OutboxRow
from treaty_runtime.transport import (
    Broken,
    Fault,
    FaultKind,
    Fence,
    FenceKind,
    LeaseFence,
    Producer,
    Source,
    SourceEvent,
)
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer
from treaty_runtime.wiring.connections import KafkaConnections, MemoryConnections

Sessions = async_sessionmaker[AsyncSession]


class Company:
    """Services on one broker and one registry, both in memory."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.registry = FakeRegistry(OrderCreated, OrderSeen)
        self.seen: list[object] = []

    def runtime(self, service: str = "order", **options: Any) -> Runtime:
        """A service's runtime."""
        return Runtime(
            service=service,
            settings=options.pop("settings", KafkaSettings()),
            events=CATALOG,
            connections=options.pop("connections", MemoryConnections(self.broker)),
            registry=self.registry,
            observers=[self.seen.append],
            **options,
        )


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
async def handled(database: AsyncEngine) -> None:
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE handled (number integer)"))


@pytest.mark.usefixtures("handled")
async def test_an_event_travels_from_a_transaction_to_its_effect(company: Company, sessions: Sessions) -> None:
    async with company.runtime(sessions=sessions, groups=[_group()]) as runtime:
        async with sessions.begin() as session:
            runtime.outbox.stage(session, OrderCreated(order_id="o-1", number=7))
        await until(lambda: _numbers(sessions))
        ready = await runtime.readiness()
    assert await _numbers(sessions) == [7]
    assert (ready.status, ready.body["database"], ready.body["groups"]) == (200, "ok", {"order-view": "ok"})
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(OutboxRow)) == 0


async def test_a_handler_schedules_a_job_that_runs(company: Company, sessions: Sessions) -> None:
    handlers, ran = Handlers(), []

    @handlers.on(OrderCreated)
    async def remember(event: OrderCreated, context: Context) -> None:
        context.schedule(Job(queue="later", id=event.order_id, due=context.envelope.time))

    async def work(job: Job, context: JobContext) -> None:
        context.stage(OrderSeen(number=1), key=job.id)
        ran.append(job.id)

    delay = DelayQueue(workers={"later": work})
    group = Group("order-view", handlers, dead_letter="dlq.order")
    async with company.runtime(sessions=sessions, groups=[group], delay=delay) as runtime:
        async with sessions.begin() as session:
            runtime.outbox.stage(session, OrderCreated(order_id="o-1", number=1))
        await until(lambda: company.broker.records("order-views"))
    assert ran == ["o-1"]


async def test_it_starts_while_everything_is_away(company: Company, sessions: Sessions) -> None:
    company.broker.is_down = company.registry.is_away = True
    async with company.runtime(sessions=sessions, groups=[_group()]) as runtime:
        async with sessions.begin() as session:
            runtime.outbox.stage(session, OrderCreated(order_id="o-1", number=7))
        await until(lambda: any(isinstance(hook, OutageBegan) for hook in company.seen))
        ready = await runtime.readiness()
        assert ready.status == 200
        assert ready.body["registry"] == "degraded"
        assert runtime.is_alive()


async def test_a_version_that_cannot_be_read_keeps_the_groups_from_starting(
    company: Company, sessions: Sessions
) -> None:
    writer = '{"type":"record","name":"OrderCreated","namespace":"mall.order","fields":[]}'
    subject = OrderCreated.__subject__
    company.registry.versions[subject] = [Version(subject, 3, writer)]
    async with company.runtime(sessions=sessions, groups=[_group()]) as runtime:
        ready = await readiness_of(runtime, lambda ready: "v3" in str(ready.body["schemas"]))
    assert ready.status == 503
    assert ready.body["schemas"] == (
        f"down: {subject} v3: /fields/0 READER_FIELD_MISSING_DEFAULT_VALUE; "
        f"{subject} v3: /fields/1 READER_FIELD_MISSING_DEFAULT_VALUE"
    )


async def test_missing_tables_are_not_ready_and_named(company: Company, database_url: str) -> None:
    engine = runtime_database.open_engine(database_url)
    async with company.runtime(sessions=async_sessionmaker(engine)) as runtime:
        ready = await readiness_of(runtime, lambda ready: "database.create" in str(ready.body["database"]))
        assert ready.status == 503
        await runtime_database.create(engine)
        await readiness_of(runtime, lambda ready: ready.status == 200)
    await engine.dispose()


async def test_a_signal_ends_the_wait(company: Company) -> None:
    async with company.runtime() as runtime:
        waiting = asyncio.create_task(runtime.until_signal())
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(waiting, 90)


async def test_a_part_that_breaks_is_raised_and_ends_health(company: Company, sessions: Sessions) -> None:
    async with company.runtime(sessions=sessions) as runtime:
        async with sessions.begin() as session:
            await session.execute(text("DROP TABLE outbox_lane"))
        with pytest.raises(Exception, match="outbox_lane"):
            await asyncio.wait_for(runtime.until_signal(), 90)
        assert not runtime.is_alive()


@pytest.mark.usefixtures("handled")
async def test_stopping_lets_a_running_handler_finish_and_commits_it(company: Company, sessions: Sessions) -> None:
    begun, handlers = asyncio.Event(), Handlers()

    @handlers.on(OrderCreated)
    async def slow(event: OrderCreated, context: Context) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        await context.session.execute(text("INSERT INTO handled VALUES (:number)"), {"number": event.number})

    group = Group("order-view", handlers, dead_letter="dlq.order")
    async with company.runtime(sessions=sessions, groups=[group]) as runtime:
        await runtime.publisher.publish(OrderCreated(order_id="o-1", number=1))
        await asyncio.wait_for(begun.wait(), 90)
    assert await _numbers(sessions) == [1]
    assert [position.offset for position in company.broker.committed("order-view").values() if position.offset] == [1]


def test_two_groups_of_one_name_are_refused(company: Company) -> None:
    with pytest.raises(DuplicateGroup, match="order-view"):
        company.runtime(groups=[_group(), _group()])


def test_the_environment_may_rename_the_first_group_and_narrow_the_topics(company: Company) -> None:
    settings = KafkaSettings(consumer_group="blue", topics=("order-events",))
    runtime = company.runtime(groups=[_group(), _group("other")], settings=settings)
    assert [(group.name, group.sources) for group in runtime.groups] == [
        ("blue", ("order-events",)),
        ("other", ("order-events",)),
    ]
    with pytest.raises(UndeclaredTopic, match="no handler for stray-events; use some of order-events"):
        company.runtime(groups=[_group()], settings=KafkaSettings(topics=("stray-events",)))


class BreakingConnections(MemoryConnections):
    """The first member of a group breaks at once; the one in its place joins when ``gate`` is open."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker)
        self.gate = asyncio.Event()
        self.made = 0

    def source(self, group: Group) -> Source:
        self.made += 1
        source = super().source(group)
        return _Waiting(source, None if self.made == 1 else self.gate)


class _Waiting:
    """A source that breaks, or that begins later."""

    def __init__(self, source: Source, gate: asyncio.Event | None) -> None:
        self._source, self._gate = source, gate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    async def events(self) -> AsyncIterator[SourceEvent]:
        if self._gate is None:
            yield Broken(Fault("_ALL_BROKERS_DOWN", "no broker", FaultKind.OUTAGE))
            return
        await self._gate.wait()
        async for event in self._source.events():
            yield event


@pytest.mark.usefixtures("handled")
async def test_readiness_says_degraded_while_a_client_is_replaced(company: Company, sessions: Sessions) -> None:
    connections = BreakingConnections(company.broker)
    async with company.runtime(sessions=sessions, groups=[_group()], connections=connections) as runtime:
        degraded = await readiness_of(runtime, lambda ready: ready.body["kafka"] == "degraded")
        assert degraded.status == 200, "waiting for Kafka is no reason to take the process away"
        connections.gate.set()
        assert (await readiness_of(runtime, lambda ready: ready.body["kafka"] == "ok")).status == 200
        assert connections.made == 2


def test_a_delay_queue_needs_a_database(company: Company) -> None:
    with pytest.raises(NoSession):
        company.runtime(delay=DelayQueue(workers={}))


class OpeningConnections(MemoryConnections):
    """Tells of each producer whether it was opened."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker)
        self.producers: list[OpeningProducer] = []

    def producer(self, *, delivery_timeout: timedelta) -> Producer:  # noqa: ARG002  # in memory nothing expires
        self.producers.append(OpeningProducer(self._broker))
        return self.producers[-1]

    def fence(self, kind: FenceKind, *, service: str) -> Fence:  # noqa: ARG002  # in memory there are no transactions
        return LeaseFence(self.producer(delivery_timeout=timedelta(0)))


class OpeningProducer(MemoryProducer):
    """Remembers that it was opened."""

    is_open = False

    def open(self) -> None:
        self.is_open = True


async def test_producers_are_open_before_there_is_anything_to_publish(company: Company, sessions: Sessions) -> None:
    connections = OpeningConnections(company.broker)
    runtime = company.runtime(sessions=sessions, connections=connections)
    assert [each.is_open for each in connections.producers] == [False, False]
    async with runtime:
        await until(lambda: all(each.is_open for each in connections.producers))


async def test_what_is_doubtful_in_the_settings_is_told_at_its_start(company: Company) -> None:
    async with company.runtime(settings=KafkaSettings(warnings=("the key is readable by everybody",))):
        assert company.seen[0] == SettingsWarning(text="the key is readable by everybody")


async def test_settings_that_are_none_end_it_at_its_start(company: Company) -> None:
    connections = KafkaConnections(KafkaSettings(extra={"producer.no.such.property": "1"}))
    runtime = company.runtime(connections=connections)
    with pytest.raises(InvalidSettings, match=r"no\.such\.property"):
        await runtime.__aenter__()
    assert company.registry.is_closed


async def test_settings_of_consumers_that_are_none_break_it(company: Company, sessions: Sessions) -> None:
    connections = KafkaConnections(KafkaSettings(extra={"consumer.no.such.property": "1"}))
    async with company.runtime(sessions=sessions, groups=[_group()], connections=connections) as runtime:
        with pytest.raises(InvalidSettings, match=r"no\.such\.property"):
            await runtime.until_signal()
        assert not runtime.is_alive()
    broke = {hook.part: hook for hook in company.seen if isinstance(hook, PartBroke)}
    assert broke.keys() == {"consumer order-view", "control"}
    assert {hook.error_type for hook in broke.values()} == {"treaty_runtime.errors.InvalidSettings"}
    assert broke["consumer order-view"].at.startswith("treaty_runtime.kafka.source.")


def _group(name: str = "order-view") -> Group:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def handle(event: OrderCreated, context: Context) -> None:
        await context.session.execute(text("INSERT INTO handled VALUES (:number)"), {"number": event.number})

    return Group(name, handlers, dead_letter="dlq.order")


async def _numbers(sessions: Sessions) -> list[int]:
    async with sessions() as session:
        return list(await session.scalars(text("SELECT number FROM handled")))
