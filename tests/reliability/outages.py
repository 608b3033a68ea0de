"""A dependency goes away under load and comes back: requests succeed without Kafka, Redis and registry, nothing is dead-lettered,
everything is handled afterwards, each delayed job runs once. In the middle of each outage a process is killed, so that the next
one starts without the dependency.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter as Counts
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.parts.proxy import Proxy
from tests.parts.three_brokers import is_ready
from tests.parts.waiting import eventually
from tests.reliability import evidence
from tests.reliability.member import Member
from tests.reliability.outcome import Outcome, judged, sentence
from tests.reliability.service import Life, event_on, serve
from tests.reliability.stack import Counter, Stack
from tests.treaty_runtime.order_events import FakeRegistry
from treaty.local.kafka import Kafka
from treaty_runtime.clock import utcnow
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.wire.serde import Serde

KEYS, A_REQUEST = 100, 3
PACE_SECONDS = 0.05
IN_ALL = 10
"""So many times the patience that one step of progress gets is all that may be waited for what was committed."""
FAULTS = (
    "registry cut", "redis cut", "database cut", "kafka killed", "registry silent", "redis silent", "database silent", "kafka frozen",
)  # fmt: skip
"""What happens to whom, one after the other. A broker is one of several, kafka is all there is."""


@dataclass(slots=True)
class Outages:
    """``redis`` and ``registry`` are ports. ``seconds``: how long each is away; the silent ones a quarter of it."""

    stack: Stack
    kafka: tuple[Kafka, ...]
    postgres: int
    redis: int
    registry: int
    seconds: float
    seed: int
    faults: tuple[str, ...] = FAULTS
    name: str = "outages"
    patience: float = 300.0
    _chance: Random = field(init=False)
    _staged: list[tuple[str, int, str, str]] = field(default_factory=list)
    _sequences: dict[str, int] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _refused: Counts[str] = field(default_factory=Counts)
    _now_away: str = "nothing"
    _lives: int = 0
    _wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The dice of the run."""
        self._chance = Random(self.seed)

    async def run(self) -> Outcome:
        """The whole run."""
        began = time.monotonic()
        engine = await self.stack.prepare()
        await engine.dispose()
        members = [Member(serve) for _ in range(2)]
        async with self._lines() as lines:
            try:
                for member in members:
                    member.start(self._life(lines))
                async with self._load(lines["database"].port):
                    for fault in self.faults:
                        await self._suffer(fault, lines, members)
                await self._caught_up()
                await self._end(members)
            finally:
                for member in members:
                    member.kill()
        return self._judged(time.monotonic() - began)

    @asynccontextmanager
    async def _lines(self) -> AsyncIterator[dict[str, Proxy]]:
        async with (
            Proxy(self.postgres) as database,
            Proxy(self.redis) as redis,
            Proxy(self.registry) as registry,
        ):
            yield {"database": database, "redis": redis, "registry": registry}

    def _life(self, lines: dict[str, Proxy]) -> Life:
        self._lives += 1
        return Life(
            name=f"m{self._lives}",
            brokers=self.stack.bootstrap,
            database=through(self.stack.database, lines["database"].port),
            topic=self.stack.topic,
            group=self.stack.group,
            dead_letter=self.stack.dead_letter,
            seed=self._chance.randrange(1 << 30),
            registry=f"http://127.0.0.1:{lines['registry'].port}",
            redis=f"redis://127.0.0.1:{lines['redis'].port}/0",
            relay=True,
        )

    async def _suffer(self, fault: str, lines: dict[str, Proxy], members: list[Member]) -> None:
        """One outage: work before, a death in its middle, and everything handled after it."""
        who, _, how = fault.partition(" ")
        away, back = self._way(lines, who, how)
        await self._caught_up()
        self._now_away = who
        await away()
        length = self.seconds if how in {"cut", "killed"} else self.seconds / 4
        await asyncio.sleep(length / 2)  # the fault itself lasts this long; nothing is waited for
        victim = self._chance.choice(members)
        victim.kill()
        victim.start(self._life(lines))
        await asyncio.sleep(length / 2)
        if who == "broker":
            await self._caught_up()  # the others go on without it
        await back()
        self._now_away = f"{who}, back"
        await self._caught_up()
        self._now_away = "nothing"

    def _way(
        self, lines: dict[str, Proxy], who: str, how: str
    ) -> tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]:
        """How it goes away, and how it comes back."""
        if who in {"kafka", "broker"}:
            node = self._chance.choice(self.kafka)
            if how == "killed":
                return partial(_kill, node), partial(_start, node)
            return partial(_signal, node, signal.SIGSTOP), partial(_signal, node, signal.SIGCONT)
        line = lines[who]

        async def silent() -> None:
            line.hang()

        return (line.cut if how == "cut" else silent), line.heal

    @asynccontextmanager
    async def _load(self, port: int) -> AsyncIterator[None]:
        """Requests, about twenty a second, each with an event or three, as long as the block lasts."""
        engine = runtime_database.open_engine(through(self.stack.database, port), pool_size=4)
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        serde = Serde(FakeRegistry(event_on(self.stack.topic)))  # the id stays unknown: the relays fill it in
        outbox = Outbox(serde, service="order", now=utcnow, entropy=os.urandom)

        async def requests() -> None:
            while True:
                await self._request(sessions, outbox)
                await asyncio.sleep(PACE_SECONDS)

        task = asyncio.create_task(requests())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await engine.dispose()

    async def _request(self, sessions: async_sessionmaker[AsyncSession], outbox: Outbox) -> None:
        made: list[tuple[str, int, UUID]] = []
        outcome = "unknown"
        try:
            async with sessions() as session:
                for key in sorted(self._chance.sample([f"o-{number}" for number in range(KEYS)], k=A_REQUEST)):
                    number = self._sequences[key] = self._sequences.get(key, 0) + 1
                    event: Any = event_on(self.stack.topic)(order_id=key, number=number)  # type: ignore[call-arg]  # a Protocol has no constructor
                    made.append((key, number, outbox.stage(session, event)))
                await session.commit()
                outcome = "ok"
        except (SQLAlchemyError, OSError):
            self._refused[self._now_away] += 1
        finally:
            self._staged += [(key, number, str(event_id), outcome) for key, number, event_id in made]

    async def _caught_up(self) -> None:
        """Everything that was committed until now has had its effect; a busy machine may take long, but not stand still, nor for ever."""
        began = time.monotonic()
        missing = {event_id for _, _, event_id, outcome in self._staged if outcome == "ok"} - self._done
        wanted, fewest, end, last = missing, len(missing) + 1, 0.0, began + IN_ALL * self.patience
        while missing := await asyncio.to_thread(evidence.without_effect, self.stack.database, missing):
            now = time.monotonic()
            if len(missing) < fewest:
                fewest, end = len(missing), min(now + self.patience, last)
            if now > end:
                self._wrong.append(f"no-progress after {self._now_away}: {len(missing)} events had no effect")
                return
            await asyncio.sleep(0.5)
        self._done |= wanted
        print(
            f"{self._now_away}: {len(wanted):,} events had their effect after {time.monotonic() - began:.0f} s",
            flush=True,
        )

    async def _end(self, members: list[Member]) -> None:
        with suppress(AssertionError):
            await eventually(self._all_jobs_ran, self.patience)
        if missing := self._missing_jobs():
            self._wrong.append(
                f"{len(missing)} delayed jobs did not run: {await asyncio.to_thread(self._told_of, missing)}"
            )
        for member in members:
            member.ask_to_stop()
        for member in members:
            code = await asyncio.to_thread(member.stopped)
            if code != 0:
                self._wrong.append(f"{member.life.name} ended with {code} after SIGTERM")

    async def _all_jobs_ran(self) -> bool:
        """Asked in a thread: the lines of the databases run on this loop, and members wait for them."""
        return not await asyncio.to_thread(self._missing_jobs)

    def _missing_jobs(self) -> set[str]:
        done = evidence.effects(self.stack.database)
        due = {f"{entry.key}-{entry.sequence}" for entry in done if entry.sequence % 10 == 0}
        return due - set(self._jobs_run())

    def _told_of(self, jobs: set[str]) -> str:
        """What the tables and the server say about some of these jobs, for who looks for the reason."""
        rows = "SELECT id, due_at, attempts, done_at, failed_at, clock_timestamp() FROM delayed WHERE id = ANY(%s)"
        busy = "SELECT pid, state, wait_event, xact_start, left(query, 60) FROM pg_stat_activity WHERE xact_start IS NOT NULL"
        with psycopg.connect(evidence.plain(self.stack.database)) as connection:
            found = connection.execute(rows, [sorted(jobs)[:3]]).fetchall()
            return f"{sorted(jobs)[:3]}, rows {found}, busy {connection.execute(busy).fetchall()}"

    def _jobs_run(self) -> list[str]:
        with psycopg.connect(evidence.plain(self.stack.database)) as connection:
            return [row[0] for row in connection.execute("SELECT job FROM ran")]

    def _judged(self, seconds: float) -> Outcome:
        stack, wrong = self.stack, self._wrong
        history = [
            *evidence.staged(self._staged),
            *evidence.in_topic(stack.bootstrap, stack.topic),
            *evidence.effects(stack.database),
            *evidence.commits(stack.bootstrap, stack.group, stack.topic),
        ]
        broken, counted = judged(history)
        wrong += map(sentence, broken)
        if dead := sum(1 for _ in evidence.records(stack.bootstrap, stack.dead_letter)):
            wrong.append(f"{dead} dead letters")
        if doubled := [job for job, count in Counts(self._jobs_run()).items() if count > 1]:
            wrong.append(f"{len(doubled)} delayed jobs ran twice: {', '.join(doubled[:3])}")
        if needless := {who: count for who, count in self._refused.items() if not who.startswith("database")}:
            wrong.append(f"requests failed without need: {needless}")
        counter = Counter(stack.database)
        seen = {
            "requests refused without their database": sum(self._refused.values()),
            "events sent twice or more": sum(len(verdict.events) for verdict in counted),
            "delayed jobs": len(set(self._jobs_run())),
            "rows left in the outbox": counter.waiting(),
        }
        counter.close()
        return Outcome(
            run=self.name,
            faults=f"{', '.join(self.faults)} ({self.seconds:g} s, silences {self.seconds / 4:g} s), {len(self.faults)} SIGKILLs",
            records=sum(outcome == "ok" for *_, outcome in self._staged),
            seed=self.seed,
            seconds=seconds,
            wrong=wrong,
            seen=seen,
            names=tuple(verdict.name for verdict in broken),
        )


async def _kill(node: Kafka) -> None:
    node.process.kill()


async def _start(node: Kafka) -> None:
    node.launch()  # from this thread: the child would end with any other
    await eventually(lambda: asyncio.to_thread(is_ready, node), 600)


async def _signal(node: Kafka, number: signal.Signals) -> None:
    os.kill(node.process.pid, number)


def through(database: str, port: int) -> str:
    """The same database by another port."""
    head, _, name = database.rpartition("/")
    return f"{head.rpartition(':')[0]}:{port}/{name}"
