"""A service as a process: its handler writes a row for each event. It ends by SIGTERM as services do, or by what a test does to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any, ClassVar

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import async_sessionmaker

from tests.reliability.diary import Diary
from tests.reliability.retried import is_mended, retrying_group
from tests.reliability.tables import EFFECT, RAN
from tests.reliability.wrong import plant
from tests.treaty_runtime.order_events import FakeRegistry, OrderCreated
from treaty_runtime.clock import utcnow
from treaty_runtime.delay.queue import DelayQueue
from treaty_runtime.delay.redis import RedisDelays
from treaty_runtime.delay.runner import JobContext
from treaty_runtime.event import Context, Event
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.job import Job
from treaty_runtime.limits import Limits
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.transport import FenceKind

SESSION_MS = 6_000
"""The shortest that a broker accepts by default: so long the others wait for the partitions of a member that was killed."""
QUEUE = "remind"
_WORKERS = 8
_PATIENT = RetryPolicy(delays=("20ms",) * 20, throttle_after=0)
_ONCE_MORE = RetryPolicy(delays=("20ms",))
_HELD_NUMBER = 4
"""The event of each key that fails at first, where failed ones are held: what follows it goes into the table too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One life of the service: where its servers are, and how it behaves. ``seed`` decides what fails and how long things take."""

    name: str
    brokers: str
    database: str
    topic: str
    group: str
    dead_letter: str
    seed: int = 0
    instance: str | None = None
    transaction_size: int = 1
    failing: float = 0.0
    slowest: float = 0.0
    registry: str = ""
    redis: str = ""
    relay: bool = False
    fence: FenceKind = "lease"
    service: str = "order"
    fault: str = ""
    holds: bool = False
    """One event of each key fails at first; it and those behind it wait in the table of held records."""
    second_group: str = ""
    second_topic: str = ""
    """A group beside the first, whose failures go through a retry topic, and what it reads; empty: there is none."""
    mended: str = ""
    """The folder in which it is noted what fails no more."""
    quarantine_after: int = 3
    diary: str = ""
    """A folder in which it writes down what it sees; empty: it does not."""


def serve(life: Life) -> None:
    """The life, from start to signal."""
    plant(life.fault)
    asyncio.run(_serve(life))


async def _serve(life: Life) -> None:
    event = event_on(life.topic)
    engine = runtime_database.open_engine(life.database, pool_size=_WORKERS)
    diary = Diary(life.diary, life.name) if life.diary else None
    runtime = Runtime(
        service=life.service,
        settings=settings_of(life),
        events={event.__avro_fullname__: event},
        sessions=async_sessionmaker(engine, expire_on_commit=False),
        groups=groups_of(life, event),
        relay=life.relay,
        fence=life.fence,
        delay=delays_of(life),
        registry=None if life.registry else FakeRegistry(event),
        observers=[] if diary is None else [diary.observe],
    )
    if diary is not None:
        diary.answer(runtime)
    async with runtime:
        await runtime.until_signal()
    await engine.dispose()


def settings_of(life: Life) -> KafkaSettings:
    """A short session, so that a death is noticed soon."""
    extra = {"consumer.session.timeout.ms": SESSION_MS, "consumer.heartbeat.interval.ms": 500}
    more: dict[str, Any] = {"registry_urls": (life.registry,)} if life.registry else {}
    return KafkaSettings(brokers=life.brokers, group_instance_id=life.instance, extra=extra, **more)


def groups_of(life: Life, event: type[Event]) -> list[Group]:
    """The group, and the one beside it."""
    first = group_of(life, event)
    if not life.second_group:
        return [first]
    second = retrying_group(
        life.second_group,
        topic=life.second_topic,
        dead_letter=life.dead_letter,
        process=life.name,
        mended=life.mended,
    )
    return [first, second]


def group_of(life: Life, event: type[Event]) -> Group:
    """One handler that writes its row in the inbox row's transaction, fails as often as it is told, and takes its time."""
    handlers, chance = Handlers(), Random(life.seed)

    @handlers.on(event, inbox=life.fault != "no-inbox", on_failure="hold_key" if life.holds else "skip")
    async def note(order: Any, context: Context) -> None:
        if life.holds and order.number == _HELD_NUMBER and context.attempt == 1:
            raise RuntimeError("Planted.")
        if chance.random() < life.failing:
            raise RuntimeError("Planted.")
        await context.session.execute(
            insert(EFFECT).values(
                key=order.order_id, sequence=order.number, event_id=str(context.envelope.id), process=life.name
            )
        )
        if life.redis and order.number % 10 == 0:
            job = Job(
                queue=QUEUE, id=f"{order.order_id}-{order.number}", due=utcnow() + timedelta(seconds=1), payload=b""
            )
            context.schedule(job)
        if life.slowest:
            await asyncio.sleep(chance.uniform(0, life.slowest))

    return Group(
        life.group,
        handlers,
        dead_letter=life.dead_letter,
        retry=replace(_PATIENT, in_place_up_to=timedelta(0)) if life.holds else _PATIENT,
        has_retry_topics=False,
        workers=_WORKERS,
        transaction_size=life.transaction_size,
        limits=Limits(quarantine_after=life.quarantine_after),
    )


def delays_of(life: Life) -> DelayQueue | None:
    """Reminders, which write their row; one with a payload fails until it is mended."""
    if not life.redis:
        return None

    async def remind(job: Job, context: JobContext) -> None:
        if job.payload and not is_mended(life.mended, job.id):
            raise RuntimeError("Planted.")
        await context.session.execute(insert(RAN).values(job=job.id))

    return DelayQueue(
        workers={QUEUE: remind},
        due_times=RedisDelays.open(life.redis),
        sweep_every=timedelta(seconds=2),
        retry=_ONCE_MORE if life.mended else RetryPolicy(),
    )


@cache
def event_on(topic: str) -> type[Event]:
    """OrderCreated on a topic of the run's own."""

    class Own(OrderCreated):
        __slots__ = ()
        __topic__: ClassVar[str] = topic
        __subject__: ClassVar[str] = f"{topic}-mall.order.OrderCreated"

        @staticmethod
        def __avro_types__() -> Mapping[str, type]:
            return {"mall.order.OrderCreated": Own}

    return Own
