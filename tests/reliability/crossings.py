"""A service is killed once at every point where it speaks to the outside, and every such call fails once: each effect once all the same."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
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
from treaty_runtime.wire.serde import Serde

KEYS, OF_A_KEY = 2, 10
"""Every tenth event of a key schedules a job."""


@dataclass(frozen=True, slots=True)
class Struck:
    """A life with doors."""

    life: Life
    doors: Doors


def serve_struck(struck: Struck) -> None:
    """Serves until it is killed, by itself or by a signal."""
    struck.doors.watch()
    serve(struck.life)


@dataclass(slots=True)
class Crossings:
    """``kills`` limits how many points are struck, spread over all; 0: every one. ``folder`` is where lives write what they passed."""

    stack: Stack
    redis: str
    registry: str
    folder: Path
    seed: int
    kills: int = 0
    patience: float = 60.0
    _staged: list[tuple[str, int, str, str]] = field(default_factory=list)
    _lives: int = 0
    _points: int = 0
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
            for point in self._chosen(await self._learned(member, counter)):
                (struck if await self._strike(member, point) else missed).append(point)
            wrong = await self._failing(member, counter)
        finally:
            counter.close()
            member.kill()
            await engine.dispose()
        return self._judged(wrong, struck, missed, time.monotonic() - began)

    def _connect(self, engine: AsyncEngine) -> None:
        serde = Serde(FakeRegistry(event_on(self.stack.topic)))
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._outbox = Outbox(serde, service="order", now=utcnow, entropy=os.urandom)

    def _chosen(self, points: list[str]) -> Iterable[str]:
        self._points = len(points)
        step = max(1, len(points) // self.kills) if self.kills else 1
        return points[::step]

    async def _learned(self, member: Member, counter: Counter) -> list[str]:
        """What a whole life passes, from its start to its good end."""
        self.folder.mkdir(exist_ok=True)
        await self._stage()
        member.start(self._life())
        await self._until(lambda: self._is_done(counter))
        await self._stop(member)
        return self._passed(member.life.doors)

    async def _strike(self, member: Member, point: str) -> bool:
        """One life that dies at the point; a life that does not come by within patience is stopped, and may come by then."""
        await self._stage()
        member.start(self._life(kill=point))
        await self._until(lambda: not member.is_alive)
        await self._stop(member)
        return point in self._passed(member.life.doors)

    async def _failing(self, member: Member, counter: Counter) -> list[str]:
        """One life in which every call fails once, and one in which nothing does and everything ends."""
        await self._stage()
        member.start(self._life(fails=True))
        await self._until(lambda: self._is_done(counter))
        await self._stop(member)
        member.start(self._life())
        if not await self._until(lambda: self._is_done(counter), patience=10 * self.patience):
            return [
                f"no-progress: {len(self._staged) - counter.events()} events had no effect, {self._jobs()} jobs ran"
            ]
        return [] if await self._stop(member) == 0 else ["the last life did not end well"]

    async def _stop(self, member: Member) -> int | None:
        if member.is_alive:
            member.ask_to_stop()
        code = await asyncio.to_thread(member.stopped, within=self.patience)
        member.kill()
        return code

    def _life(self, *, kill: str = "", fails: bool = False) -> Struck:
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
            quarantine_after=0,  # kills from outside, many in a row at the first record
        )
        return Struck(life, Doors(self.folder / life.name, kill=kill, fails=fails))

    async def _stage(self) -> None:
        """Two transactions of ten events, each of a key of its own."""
        for number in range(KEYS):
            key = f"o-{self._lives}-{number}"
            made = []
            async with self._sessions.begin() as session:
                for sequence in range(1, OF_A_KEY + 1):
                    event: Any = event_on(self.stack.topic)(order_id=key, number=sequence)  # type: ignore[call-arg]  # a Protocol has no constructor
                    made.append((key, sequence, str(self._outbox.stage(session, event)), "ok"))
            self._staged += made

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

    def _judged(self, wrong: list[str], struck: list[str], missed: list[str], seconds: float) -> Outcome:
        stack = self.stack
        history = [
            *evidence.staged(self._staged),
            *evidence.in_topic(stack.bootstrap, stack.topic),
            *evidence.effects(stack.database),
            *evidence.commits(stack.bootstrap, stack.group, stack.topic),
        ]
        broken, counted = judged(history)
        wrong = [*wrong, *map(sentence, broken)]
        jobs, expected = self._jobs(), len(self._staged) // OF_A_KEY
        wrong += [f"{jobs} jobs ran of {expected}"] * (jobs != expected)
        dead = sum(1 for _ in evidence.records(stack.bootstrap, stack.dead_letter))
        wrong += [f"{dead} dead letters"] * (dead > 0)
        return Outcome(
            run="killed at every call",
            faults=f"{len(struck)} SIGKILLs, one at a point each, of {self._points} points; calls failed once",
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
