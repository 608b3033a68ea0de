"""A service is killed once at every point where it speaks to the outside, and every such call fails once: each effect once all the same."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter as Counts
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.reliability import evidence
from tests.reliability.doors import Doors
from tests.reliability.member import Member
from tests.reliability.outcome import Outcome, judged, sentence
from tests.reliability.service import Life, event_on, serve
from tests.reliability.stack import Counter, Stack
from tests.treaty_runtime.order_events import FakeRegistry
from treaty_runtime.clock import utcnow
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.transport import FenceKind
from treaty_runtime.wire.serde import Serde

KEYS, OF_A_KEY = 2, 10
"""Every tenth event of a key schedules a job."""
FENCES: tuple[FenceKind, ...] = ("lease", "transaction")


@dataclass(frozen=True, slots=True)
class Struck:
    """A life with doors."""

    life: Life
    doors: Doors


def serve_struck(struck: Struck) -> None:
    """Serves until it is killed, by itself or by a signal."""
    struck.doors.watch()
    serve(struck.life)


class Blow(NamedTuple):
    """A point to strike, and in which kind of life it is passed: with which fence, and whether every call fails once there."""

    point: str
    fence: FenceKind
    fails: bool


@dataclass(slots=True)
class Crossings:
    """``kills`` limits how many points are struck with each fence; 0: every one. ``only`` is in the names of those that are struck.

    First with the fence of leases, then with that of transactions, where nothing may be in the log twice. ``folder`` is where
    lives write what they passed.
    """

    stack: Stack
    redis: str
    registry: str
    folder: Path
    seed: int
    kills: int = 0
    only: str = ""
    patience: float = 60.0
    _staged: list[tuple[str, int, str, str]] = field(default_factory=list)
    _fenced: set[str] = field(default_factory=set)
    _lives: int = 0
    _blows: dict[tuple[str, FenceKind], Blow] = field(default_factory=dict)
    _wrong: list[str] = field(default_factory=list)
    _outbox: Outbox = field(init=False)
    _sessions: async_sessionmaker[AsyncSession] = field(init=False)

    async def run(self) -> Outcome:
        """The whole run."""
        began = time.monotonic()
        engine = await self.stack.prepare()
        self._connect(engine)
        counter, member = Counter(self.stack.database), Member(serve_struck)
        struck: list[str] = []
        missed: list[str] = []
        try:
            for fence in FENCES:
                for fails in (False, True):
                    await self._learn(member, counter, fence=fence, fails=fails)
                for blow in self._chosen(fence):
                    (struck if await self._strike(member, blow) else missed).append(blow.point)
                await self._end(member, counter, fence=fence)
        finally:
            counter.close()
            member.kill()
            await engine.dispose()
        return self._judged(struck, missed, time.monotonic() - began)

    def _connect(self, engine: AsyncEngine) -> None:
        serde = Serde(FakeRegistry(event_on(self.stack.topic)))
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._outbox = Outbox(serde, service="order", now=utcnow, entropy=os.urandom)

    def _chosen(self, fence: FenceKind) -> list[Blow]:
        points = [blow for blow in self._blows.values() if blow.fence == fence and self.only in blow.point]
        count = min(self.kills or len(points), len(points))
        return [points[number * len(points) // count] for number in range(count)]

    async def _begin(self, member: Member, life: Struck) -> None:
        """Redis keeps scripts, and only a life that finds none loads them: each begins without."""
        async with Redis.from_url(self.redis) as redis:
            await redis.script_flush()
        member.start(life)

    async def _learn(self, member: Member, counter: Counter, *, fence: FenceKind, fails: bool) -> None:
        """What a whole life passes, from its start to its good end; and what one passes in which every call fails once."""
        self.folder.mkdir(exist_ok=True)
        await self._stage(fence)
        await self._begin(member, self._life(fence, fails=fails))
        await self._until(lambda: self._is_done(counter))
        await self._stop(member)
        self._note(self._passed(member.life.doors), fence=fence, fails=fails)

    def _note(self, points: Iterable[str], *, fence: FenceKind, fails: bool) -> None:
        """Points of the outside that both fences pass are struck with both; each in the life that passed it first."""
        for point in points:
            self._blows.setdefault((point, fence), Blow(point, fence, fails))

    async def _strike(self, member: Member, blow: Blow) -> bool:
        """One life that dies at the point; a life that does not come by within patience is stopped, and may come by then."""
        await self._stage(blow.fence)
        await self._begin(member, self._life(blow.fence, fails=blow.fails, kill=blow.point))
        await self._until(lambda: not member.is_alive)
        await self._stop(member)
        return blow.point in self._passed(member.life.doors)

    async def _end(self, member: Member, counter: Counter, *, fence: FenceKind) -> None:
        """One life in which nothing happens and everything ends."""
        await self._stage(fence)
        await self._begin(member, self._life(fence))
        if not await self._until(lambda: self._is_done(counter), patience=10 * self.patience):
            missing = len(self._staged) - counter.events()
            self._wrong.append(f"no-progress, {fence}: {missing} events had no effect, {self._jobs()} jobs ran")
        if (code := await self._stop(member)) != 0:
            self._wrong.append(f"the last life, {fence}, ended with {code}")

    async def _stop(self, member: Member) -> int | None:
        if member.is_alive:
            member.ask_to_stop()
        code = await asyncio.to_thread(member.stopped, within=self.patience)
        member.kill()
        return code

    def _life(self, fence: FenceKind, *, kill: str = "", fails: bool = False) -> Struck:
        self._lives += 1
        stack = self.stack
        life = Life(
            name=f"d{self._lives}",
            brokers=stack.bootstrap,
            database=stack.database,
            topic=stack.topic,
            group=stack.group,
            dead_letter=stack.dead_letter,
            seed=self.seed,
            instance=f"{stack.name}-0",  # known to the group, so that nobody waits for the one that was killed
            registry=self.registry,
            redis=self.redis,
            relay=True,
            fence=fence,
            service=stack.name,  # its lanes' names are of the whole cluster
            holds=True,
            quarantine_after=0,  # kills from outside, many in a row at the first record
        )
        return Struck(life, Doors(self.folder / life.name, kill=kill, fails=fails))

    async def _stage(self, fence: FenceKind) -> None:
        """Two transactions of ten events, each of a key of its own."""
        for number in range(KEYS):
            key = f"o-{self._lives}-{number}"
            made = []
            async with self._sessions.begin() as session:
                for sequence in range(1, OF_A_KEY + 1):
                    event: Any = event_on(self.stack.topic)(order_id=key, number=sequence)  # type: ignore[call-arg]  # a Protocol has no constructor
                    made.append((key, sequence, str(self._outbox.stage(session, event)), "ok"))
            self._staged += made
            self._fenced |= {event_id for *_, event_id, _ in made if fence == "transaction"}

    def _is_done(self, counter: Counter) -> bool:
        return counter.events() >= len(self._staged) and self._jobs() * OF_A_KEY >= len(self._staged)

    def _jobs(self) -> int:
        with psycopg.connect(evidence.plain(self.stack.database)) as connection:
            row = connection.execute("SELECT count(*) FROM ran").fetchone()
        assert row is not None
        return int(row[0])

    async def _until(self, condition: Callable[[], bool], *, patience: float | None = None) -> bool:
        ends = time.monotonic() + (patience or self.patience)
        while not condition():
            if time.monotonic() > ends:
                return False
            await asyncio.sleep(0.05)
        return True

    @staticmethod
    def _passed(doors: Doors) -> list[str]:
        return doors.seen.read_text(encoding="utf-8").splitlines() if doors.seen.exists() else []

    def _judged(self, struck: list[str], missed: list[str], seconds: float) -> Outcome:
        stack = self.stack
        in_topic = evidence.in_topic(stack.bootstrap, stack.topic)
        history = [
            *evidence.staged(self._staged),
            *in_topic,
            *evidence.effects(stack.database),
            *evidence.commits(stack.bootstrap, stack.group, stack.topic),
        ]
        broken, counted = judged(history)
        wrong = [*self._wrong, *map(sentence, broken)]
        jobs, expected = self._jobs(), len(self._staged) // OF_A_KEY
        wrong += [f"{jobs} jobs ran of {expected}"] * (jobs != expected)
        dead = sum(1 for _ in evidence.records(stack.bootstrap, stack.dead_letter))
        wrong += [f"{dead} dead letters"] * (dead > 0)
        copies = Counts(entry.event_id for entry in in_topic if entry.event_id in self._fenced)
        twice = [event_id for event_id, count in copies.items() if count > 1]
        wrong += [f"{len(twice)} events fenced by transactions are in the log twice: {twice[:3]}"] * bool(twice)
        points = len(self._blows)
        return Outcome(
            run=f"killed at every call{f', only {self.only}' * bool(self.only)}",
            faults=f"{len(struck)} SIGKILLs, one at a point each, of {points} points, each fence's its own; calls failed once",
            records=len(self._staged),
            seed=self.seed,
            seconds=seconds,
            wrong=wrong,
            seen={
                "points not passed again": len(missed),
                "delayed jobs": jobs,
                "events sent twice or more": sum(len(verdict.events) for verdict in counted),
            },
            names=tuple(verdict.name for verdict in broken),
        )
