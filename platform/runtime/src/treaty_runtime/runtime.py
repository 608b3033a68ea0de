"""The runtime of one service: built in one place, started in order, watched, and stopped in reverse."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from sqlalchemy.ext.asyncio import async_sessionmaker

from treaty_runtime.clock import SystemClock
from treaty_runtime.consume.consumer import Consumer
from treaty_runtime.consume.reader import Reader
from treaty_runtime.consume.schema_gate import SchemaGate, Versions
from treaty_runtime.consume.trial import Trial
from treaty_runtime.delay.queue import DelayQueue
from treaty_runtime.delay.schedule import Scheduler
from treaty_runtime.errors import NoSession
from treaty_runtime.event import Effects, Partition
from treaty_runtime.handlers import Group
from treaty_runtime.hooks import Hooks, Observer, SettingsWarning
from treaty_runtime.publish.backlog import Depth
from treaty_runtime.publish.late_ids import LateIds
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.publish.publisher import Publisher
from treaty_runtime.publish.warming import warm
from treaty_runtime.seek import Seek
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.spans import Spans
from treaty_runtime.sql.database import LANES
from treaty_runtime.sql.inbox import Inbox
from treaty_runtime.sql.inbox_cleaning import RETENTION
from treaty_runtime.transport import Fence, FenceKind
from treaty_runtime.wire.registry import RegistryClient
from treaty_runtime.wire.serde import Schemas, Serde
from treaty_runtime.wiring.background import Background
from treaty_runtime.wiring.connections import PUBLISHING, Connections, KafkaConnections
from treaty_runtime.wiring.dry_run import DryRun
from treaty_runtime.wiring.groups import chosen_groups
from treaty_runtime.wiring.obedience import Obedience
from treaty_runtime.wiring.readiness import Facts, Readiness, readiness
from treaty_runtime.wiring.replaying import ReplayReport
from treaty_runtime.wiring.replays import Replays
from treaty_runtime.wiring.sql_side import SqlSide
from treaty_runtime.wiring.valve import GroupValve
from treaty_runtime.world import World

HANDLERS_END, RELAY_ENDS, FLUSHED = timedelta(seconds=15), timedelta(seconds=5), timedelta(seconds=3)
ALIVE_SECONDS = 30.0


class Registry(Schemas, Versions, Protocol):
    """What the runtime asks of a schema registry."""

    async def close(self) -> None:
        """Ends the connections."""


class Runtime:
    """Everything a service publishes and consumes with: `async with runtime:` starts it, leaving the block stops it.

    `events` is the SDK's catalog, full name to class. `sessions` makes AsyncSessions on the service's own database, which
    has the runtime's tables (`database.create`); without it there is no outbox, inbox or delay queue, though this
    module needs the extra [sql] all the same. `relay=False`: another process relays. `inbox_retention`: how long handled events
    are remembered; longer than any topic keeps its records.
    `outbox_keep`: how long sent rows stay in `outbox_sent`, from where `treaty outbox resend` takes them; 0: not at all.
    `fence="transaction"`: each committed event is in the log once, and the log never goes back, whatever becomes of a relay; see the guide.
    `telemetry`: traces and measures, `treaty_runtime.telemetry.Telemetry(service)`.
    Raises DuplicateGroup and UndeclaredTopic at once; whatever is away is waited for later.
    """

    def __init__(
        self,
        *,
        service: str,
        settings: KafkaSettings,
        events: Mapping[str, type[Any]],
        sessions: async_sessionmaker[Any] | None = None,
        groups: Sequence[Group] = (),
        relay: bool = True,
        delay: DelayQueue | None = None,
        observers: Iterable[Observer] = (),
        lanes: int = LANES,
        serialize_keys: bool = True,
        inbox_retention: timedelta = RETENTION,
        outbox_keep: timedelta = timedelta(0),
        fence: FenceKind = "lease",
        telemetry: Spans | None = None,
        world: World | None = None,
        connections: Connections | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.service, self.events, self.groups = service, events, chosen_groups(groups, settings)
        self.registry_url, self._warnings = settings.registry_urls[0], settings.warnings
        self.hooks = Hooks([*observers, *([telemetry] if telemetry is not None else [])])
        self._world, self._spans = world or World(), telemetry
        self._connections = connections or KafkaConnections(settings)
        self._registry = registry or RegistryClient(settings.registry_urls, user=settings.registry_user)
        self._background, self._signalled = Background(self.hooks), asyncio.Event()
        self._inbox_retention = inbox_retention
        self.serde, self.scheduler = Serde(self._registry), Scheduler()
        self.sql = (
            SqlSide(
                sessions, service=service, lanes=lanes, world=self._world, hooks=self.hooks, outbox_keep=outbox_keep
            )
            if sessions
            else None
        )
        self.outbox = self._make_outbox(lanes=lanes, serialize_keys=serialize_keys)
        self._build_publishing(relay=relay, fence=fence)
        self._build_consuming(delay)

    @property
    def _trace(self) -> Callable[[], Mapping[str, str]] | None:
        return None if self._spans is None else self._spans.here

    def _make_outbox(self, *, lanes: int, serialize_keys: bool) -> Outbox:
        return Outbox(
            self.serde,
            service=self.service,
            now=self._world.now,
            entropy=self._world.entropy,
            lanes=lanes,
            serialize_keys=serialize_keys,
            hooks=self.hooks,
            trace=self._trace,
        )

    def _build_publishing(self, *, relay: bool, fence: FenceKind) -> None:
        self._producer = self._connections.producer(delivery_timeout=PUBLISHING)
        self._fence: Fence | None = None
        self.publisher = Publisher(
            self._producer,
            self.serde,
            service=self.service,
            registry_url=self.registry_url,
            entropy=self._world.entropy,
            hooks=self.hooks,
            now=self._world.now,
            trace=self._trace,
        )
        self.relay = None
        if self.sql is not None and relay:
            self._fence = self._connections.fence(fence, service=self.service)
            late_ids = LateIds(self.serde, self.events)
            self.relay = self.sql.relay(fence=self._fence, late_ids=late_ids, registry_url=self.registry_url)
            self.outbox.on_commit(self.relay.wake)
        if self.sql is not None:
            self.outbox.on_commit(self.sql.hint.send)

    def _build_consuming(self, delay: DelayQueue | None) -> None:
        handled = {event for group in self.groups for event in group.handlers.events}
        self._gate = SchemaGate(handled, self._registry, random=self._world.random)
        stage, schedule = self.outbox.stage, self.scheduler.schedule
        effects = None if self.sql is None else self.sql.inbox(stage=stage, schedule=schedule)
        self.dry_run = DryRun(
            self.groups,
            self.serde,
            events=self.events,
            sessions=None if self.sql is None else self.sql.sessions,
            stage=stage,
            schedule=schedule,
            now=self._world.now,
        )
        self._valves, self._trial = {group.name: GroupValve() for group in self.groups}, Trial()
        self.consumers = [self._consumer(group, effects) for group in self.groups]
        self._replays = Replays(
            self.groups,
            serde=self.serde,
            events=self.events,
            bounds=self._connections.bounds,
            effects=lambda shadow: effects if shadow is None else Inbox(shadow, stage=stage, schedule=schedule),
            remembers=self._inbox_retention,
            world=self._world,
        )
        self.delay = None
        if delay is not None:
            if self.sql is None:
                raise NoSession("Delayed jobs are kept in the service's database: pass `sessions=` to the Runtime.")
            self.delay = self.sql.delay(delay, stage=stage, schedule=schedule)
            self.scheduler.on_commit(self.delay.committed)

    def _consumer(self, group: Group, effects: Effects | None) -> Consumer:
        return Consumer(
            group,
            connect=lambda: self._valves[group.name].connect(lambda: self._connections.source(group)),
            reader=Reader(group, self.serde, events=self.events),
            producer=self._producer,
            random=self._world.random,
            effects=effects,
            held=None if self.sql is None else self.sql.held(),
            hooks=self.hooks,
            clock=SystemClock(self._world.now),
            trial=self._trial,
            spans=self._spans,
        )

    async def __aenter__(self) -> Self:
        """Start; returns at once. What needs something that is away starts when that answers.

        Raises InvalidSettings for those that Kafka's client refuses.
        """
        try:
            self._producer.open()
        except BaseException:
            await self._registry.close()
            raise
        for text in self._warnings:
            self.hooks(SettingsWarning(text=text))
        self._background.start(self._bring_up(), name="start")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop in reverse order."""
        await self.stop()

    async def _bring_up(self) -> None:
        start = self._background.start
        start(warm(self.serde, self.events.values(), random=self._world.random), name="warm")
        if self.sql is not None:
            await self.sql.tables.passed()
            start(self.sql.hint.run(self.relay.wake if self.relay is not None else _nobody), name="hint")
            start(self.sql.cleaning(retention=self._inbox_retention).run(), name="cleaning")
            if self.sql.sent_cleaning is not None:
                start(self.sql.sent_cleaning.run(), name="cleaning")
        if self.relay is not None:
            start(self.relay.run(), name="relay")
        if self.delay is not None:
            start(self.delay.run(), name="delay")
        if self.consumers:
            await self._gate.opened()
            obedience = self._obedience()
            start(obedience.run(self._connections.commands(obedience.refused)), name="control")
        for consumer in self.consumers:
            start(consumer.run(), name=f"consumer {consumer.group.name}")

    def _obedience(self) -> Obedience:
        member = self._world.entropy(6).hex()
        return Obedience(self._valves, producer=self._producer, member=member, now=self._world.now, hooks=self.hooks)

    async def stop(self) -> None:
        """Stop taking work, let what runs end, commit, give lanes back, flush: handlers get their group's drain, the producer three.

        Nothing unfinished is committed; what was cut off is seen again.
        """
        end = self._background.end
        await end("start", "warm", "hint", "cleaning", "control", within=timedelta(0))
        if self.delay is not None:
            self.delay.stop()
        await asyncio.gather(*(consumer.stop() for consumer in self.consumers))
        await end("consumer", "delay", within=HANDLERS_END)
        if self.relay is not None:
            self.relay.stop()
        await end("relay", within=RELAY_ENDS)
        await self._producer.flush(FLUSHED)
        for each in (self._producer, self._fence):
            if each is not None:
                await each.close()
        await self._registry.close()

    async def replay(
        self,
        group: str,
        *,
        start: Seek | Mapping[Partition, int],
        end: Seek,
        topics: Sequence[str] = (),
        shadow: async_sessionmaker[Any] | None = None,
        shadow_inbox: bool = False,
        external: Literal["skip", "run"] = "skip",
        beyond_inbox: bool = False,
    ) -> ReplayReport:
        """Run records of the past through a group's handlers, without joining it; `context.is_replay` is true.

        `start`: a place for all partitions, or an offset for each (those not named: from their start). `topics`: some of the group's
        (none given: all). The inbox drops what was handled, but for `shadow`: sessions on fresh tables. `shadow_inbox`: these hold a
        fresh inbox too, so that what stands in the topics twice is handled once.
        Raises UndeclaredTopic, UnknownGroup, and BeyondInbox where records are older than the inbox remembers.
        """
        return await self._replays.run(
            group,
            start=start,
            end=end,
            topics=topics,
            shadow=shadow,
            shadow_inbox=shadow_inbox,
            external=external,
            beyond_inbox=beyond_inbox,
        )

    async def until_signal(self) -> None:
        """Wait for SIGTERM or SIGINT. Raises what broke, if a part of the runtime broke first."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled.set)
        ends = [asyncio.create_task(event.wait()) for event in (self._signalled, self._background.broken)]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            for end in ends:
                end.cancel()
        if self._background.failure is not None:
            raise self._background.failure

    def is_alive(self) -> bool:
        """Whether no part has broken and each poll thread turned in the last 30 s (`/healthz`)."""
        ages = (consumer.poll_age_seconds for consumer in self.consumers)
        return self._background.failure is None and all(age < ALIVE_SECONDS for age in ages)

    async def outbox_depth(self) -> Depth | None:
        """How much waits in the outbox; None without a database, or while it is away."""
        depth = await self.sql.depth() if self.sql is not None else None
        return depth if isinstance(depth, Depth) else None

    async def readiness(self) -> Readiness:
        """What `/readyz` answers."""
        depth = await self.sql.depth() if self.sql is not None else None
        oldest = depth.oldest if isinstance(depth, Depth) else None
        return readiness(
            Facts(
                database=depth if isinstance(depth, str) else None,
                away=frozenset(self._away()),
                schemas=self._gate.findings,
                is_gate_checked=self._gate.is_checked or not self.consumers,
                groups={consumer.group.name: _waits_for(consumer) for consumer in self.consumers},
                refusals={each.group.name: text for each in self.consumers for text in each.telling.refusals.values()},
                idle=frozenset(each.group.name for each in self.consumers if not each.dispatch.assignments),
                outbox_oldest_seconds=None if oldest is None else (self._world.now() - oldest).total_seconds(),
            )
        )

    def _away(self) -> Iterator[str]:
        for worker in (self.relay, self.delay):
            if worker is not None:
                yield from worker.outages.away
        if self.consumers and not self._gate.is_checked:
            yield "registry"
        has_new_producer = any(getattr(each, "is_replaced", False) for each in (self._producer, self._fence))
        if has_new_producer or any(consumer.telling.is_reconnecting for consumer in self.consumers):
            yield "kafka"


def _nobody() -> None:
    """Hears of commits where no relay runs."""


def _waits_for(consumer: Consumer) -> str | None:
    outage = consumer.dispatch.outage
    return None if outage is None else outage.dependency
