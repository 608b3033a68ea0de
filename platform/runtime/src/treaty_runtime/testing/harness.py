"""Handlers under test as in production, but in memory and in virtual time: a half-hour time-out takes milliseconds.

The dispatch, the reader, the retry topics and the dead letters are the real ones; only the broker, the registry and the clock are
doubles, held to the same conformance suite as the real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

from treaty_avro import compile_decoder
from treaty_runtime.consume.consumer import Consumer
from treaty_runtime.consume.reader import Reader
from treaty_runtime.event import Effects, Event, Place, Record, published_text
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.held import HeldRecords
from treaty_runtime.hooks import Hooks, Observer
from treaty_runtime.job import Job
from treaty_runtime.publish.answers import Published
from treaty_runtime.publish.publisher import Publisher
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.testing.clock import VirtualClock
from treaty_runtime.testing.effects import FaultyEffects, MemoryEffects
from treaty_runtime.testing.held import MemoryHeldRecords
from treaty_runtime.testing.registry import MemoryRegistry
from treaty_runtime.transport import Source
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer, MemorySource
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.event_id import new_event_id
from treaty_runtime.wire.serde import Serde, schema_id_of

E = TypeVar("E", bound=Event)

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
REGISTRY_URL = "http://registry.test"
_SPINS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterSeen:
    """A record of the dead-letter topic: the reason, the exception's class, the place it came from."""

    record: Record
    reason: str
    error_class: str
    origin: Place


@dataclass(slots=True)
class _Member:
    consumer: Consumer
    sources: list[MemorySource]
    task: asyncio.Task[None]

    @property
    def is_quiet(self) -> bool:
        return bool(self.sources) and self.sources[-1].is_quiet and self.consumer.is_idle


class Harness:
    """Runs one group's handlers. Use it as an asynchronous context manager.

    ``sessions``: handlers get real sessions, with the real inbox and outbox tables (create them first). ``effects`` replaces both.
    ``start``: where the virtual clock stands first, aware.
    """

    def __init__(
        self,
        handlers: Handlers,
        *,
        sessions: Any = None,
        effects: Effects | None = None,
        start: datetime = NEW_YEAR,
        retry: RetryPolicy | None = None,
        group: str = "harness",
        events: Mapping[str, type[Any]] | None = None,
        observers: tuple[Observer, ...] = (),
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.clock = VirtualClock(start)
        self.registry = MemoryRegistry(registers_by_itself=True)
        self.broker = MemoryBroker(partitions=3, now=self.clock.now)
        self.group = Group(
            group, handlers, dead_letter=f"dlq.{group}", retry=retry if retry is not None else RetryPolicy(), **options
        )
        self._random = Random(seed)  # noqa: S311  # repeatable on purpose
        self._serde, self._hooks, self._events = Serde(self.registry), Hooks(observers), events
        self._producer = MemoryProducer(self.broker)
        self._publisher = Publisher(
            self._producer,
            self._serde,
            service=group,
            registry_url=REGISTRY_URL,
            entropy=self._random.randbytes,
            hooks=self._hooks,
            now=self.clock.now,
        )
        self._memory: MemoryEffects | None = None
        self._forward: Callable[[], Any] | None = None
        self._effects = FaultyEffects(effects if effects is not None else self._own_effects(sessions))
        self._held = self._own_held(sessions)
        self._members: list[_Member] = []
        self._sending: set[asyncio.Task[Published]] = set()
        self._classes: set[type[Event]] = set(handlers.events)

    async def __aenter__(self) -> Self:
        """Starts one member of the group."""
        await self._serde.warm(self._classes)
        await self.rebalance(members=1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops in good order."""
        await self.rebalance(members=0)
        await self._producer.close()

    async def publish(
        self, event: Event, *, key: str | None = None, headers: Mapping[str, bytes] | None = None
    ) -> Published:
        """Publishes an event; ``settle`` handles it."""
        self._classes.add(type(event))
        return await self._publisher.publish(event, key=key, headers=headers)

    async def settle(self) -> None:
        """Works until nothing is left to do at this instant; what waits for a later one waits."""
        quiet = 0
        while quiet < 3:
            for spin in range(_SPINS):
                await asyncio.sleep(0)
                if spin > 2 and self._is_quiet():
                    break
            else:
                await asyncio.sleep(0.001)  # a handler waits for something real, such as its database
            if self._is_quiet():
                sent = await self._forward() if self._forward is not None else 0
                quiet = 0 if sent else quiet + 1
            else:
                quiet = 0

    async def advance(self, delta: timedelta = timedelta(), **parts: float) -> None:
        """Lets time pass, with everything that becomes due on the way: ``advance(minutes=30)``."""
        until = self.clock.now() + delta + timedelta(**parts)
        await self.settle()
        while self.clock.step(until):
            await self.settle()
        await self.settle()

    def published(self, event: type[E]) -> list[E]:
        """Every event of the class on its topic, partition by partition."""
        schema_id = self.registry.register(event.__subject__, published_text(event))
        values = [record.value for record in self.broker.records(event.__topic__) if record.value]
        decode = compile_decoder(event)
        return [decode(value, 5) for value in values if schema_id_of(value) == schema_id]

    @property
    def dead_letters(self) -> list[DeadLetterSeen]:
        """The dead-letter topic."""
        return [_seen(record) for record in self.broker.records(self.group.dead_letter)]

    @property
    def jobs(self) -> list[Job]:
        """Jobs that handlers scheduled; with ``sessions`` they lie in the table `delayed` instead."""
        return self._memory.jobs if self._memory is not None else []

    def fail(self, event: type[Event], *, times: int = 1, error: Exception | None = None) -> None:
        """The next attempts at events of the class raise ``error``, whatever the handler does; its effects are rolled back."""
        self._effects.fail(event, times=times, error=error if error is not None else RuntimeError("asked to fail"))

    async def crash(self) -> None:
        """Kills every member and starts as many: what was not committed is seen again."""
        members = len(self._members)
        for member in self._members:
            member.task.cancel()
            member.sources[-1].vanish()
        await asyncio.gather(*(member.task for member in self._members), return_exceptions=True)
        self._members.clear()
        await self.rebalance(members=members)

    async def rebalance(self, *, members: int) -> None:
        """Starts or stops members, so that the partitions move."""
        while len(self._members) < members:
            self._members.append(self._join())
            await self.settle()
        while len(self._members) > members:
            leaving = self._members.pop()
            await leaving.consumer.stop()
            await leaving.task
        await self.settle()

    @contextmanager
    def outage(self, dependency: str) -> Iterator[None]:
        """Takes `database`, `redis`, `kafka`, `registry` or anything else away inside the block; blocks within blocks add up.

        `database` and other things of handlers share one place: inside, the inner one alone is away.
        """
        before = self.broker.is_down, self.registry.is_away, self._effects.away
        if dependency == "kafka":
            self.broker.is_down = True
        elif dependency == "registry":
            self.registry.is_away = True
        else:
            self._effects.away = dependency
        try:
            yield
        finally:
            self.broker.is_down, self.registry.is_away, self._effects.away = before

    def _join(self) -> _Member:
        sources: list[MemorySource] = []

        def connect() -> Source:
            group = self.group
            sources.append(MemorySource(self.broker, group=group.name, topics=group.subscription, drain=group.drain))
            return sources[-1]

        consumer = Consumer(
            self.group,
            connect=connect,
            reader=Reader(self.group, self._serde, events=self._events),
            producer=self._producer,
            random=self._random.random,
            effects=self._effects,
            held=self._held,
            hooks=self._hooks,
            clock=self.clock,
        )
        return _Member(consumer, sources, asyncio.get_running_loop().create_task(consumer.run()))

    def _is_quiet(self) -> bool:
        is_sent = self.broker.is_down or (self._producer.is_empty and not self._sending)
        return is_sent and all(member.is_quiet for member in self._members)

    def _new_id(self) -> UUID:
        return new_event_id(self.clock.now(), entropy=self._random.randbytes(10))

    def _send(self, event: Event, *, event_id: UUID, **options: Any) -> UUID:
        self._classes.add(type(event))
        publishing = self._publisher.publish(event, event_id=event_id, **options)
        task = asyncio.get_running_loop().create_task(publishing)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return event_id

    def _stage(self, session: Any, event: Event, **options: Any) -> UUID:
        # The registry of a test registers by itself, so no row has to wait for its schema id.
        self._serde.learn(type(event), self.registry.register(event.__subject__, published_text(type(event))))
        return self.outbox.stage(session, event, **options)

    def _own_held(self, sessions: Any) -> HeldRecords:
        if sessions is None:
            return MemoryHeldRecords(is_away=lambda: self._effects.away == "database")
        from treaty_runtime.sql.held_records import SqlHeldRecords  # noqa: PLC0415  # as below

        return SqlHeldRecords(sessions.kw["bind"])

    def _own_effects(self, sessions: Any) -> Effects:
        if sessions is None:
            self._memory = MemoryEffects(send=self._send, new_id=self._new_id)
            return self._memory
        from treaty_runtime.delay.schedule import Scheduler  # noqa: PLC0415  # as above
        from treaty_runtime.publish.outbox import Outbox  # noqa: PLC0415  # as above
        from treaty_runtime.sql.inbox import Inbox  # noqa: PLC0415  # needs the extra [sql], which tests without a database may lack
        from treaty_runtime.testing.staged import StagedRows  # noqa: PLC0415  # as above

        self.outbox = Outbox(
            self._serde, service=self.group.name, now=self.clock.now, entropy=self._random.randbytes, hooks=self._hooks
        )
        self._forward = StagedRows(sessions, self.broker, registry_url=REGISTRY_URL).forward
        return Inbox(sessions, stage=self._stage, schedule=Scheduler().schedule)


def _seen(record: Record) -> DeadLetterSeen:
    first = names.first_values(record.headers)
    return DeadLetterSeen(
        record=record,
        reason=names.read_text(first.get(names.REASON)) or "",
        error_class=names.read_text(first.get(names.DEAD_LETTER_PREFIX + names.EXCEPTION_FQCN)) or "",
        origin=names.origin_of(record.place, first),
    )
