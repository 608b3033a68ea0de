"""A service is killed once at every point where it speaks to the outside, and every such call fails once: each effect once all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from redis.asyncio import Redis

from tests.reliability.doors import Doors
from tests.reliability.member import Member
from tests.reliability.outcome import Outcome
from tests.reliability.rounds import Rounds
from tests.reliability.service import Life, serve
from tests.reliability.stack import Counter, Stack
from treaty_runtime.transport import FenceKind

FENCES: tuple[FenceKind, ...] = ("lease", "transaction")
GRACE_SECONDS = 8.0
"""So long a life goes on after its work is done: what it does by the clock is passed too."""


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
    _lives: int = 0
    _blows: dict[tuple[str, FenceKind], Blow] = field(default_factory=dict)
    _wrong: list[str] = field(default_factory=list)
    _rounds: Rounds = field(init=False)

    async def run(self) -> Outcome:
        """The whole run."""
        began = time.monotonic()
        engine = await self.stack.prepare()
        self._rounds = Rounds(self.stack, str(self.folder / "mended"))
        self._rounds.open(engine)
        counter, member = Counter(self.stack.database), Member(serve_struck)
        struck: list[str] = []
        missed: list[str] = []
        try:
            for fence in FENCES:
                for fails in (False, True):
                    await self._learn(member, counter, fence=fence, fails=fails)
                for blow in self._chosen(fence):
                    (struck if await self._strike(member, counter, blow) else missed).append(blow.point)
                await self._end(member, counter, fence=fence)
            return self._judged(counter, struck, missed, time.monotonic() - began)
        finally:
            member.kill()
            counter.close()
            self._rounds.close()
            await engine.dispose()

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
        await self._rounds.stage(is_fenced=fence == "transaction")
        await self._begin(member, self._life(fence, fails=fails))
        await self._until(lambda: self._rounds.is_done(counter))
        await self._stop(member)
        self._note(self._passed(member.life.doors), fence=fence, fails=fails)

    def _note(self, points: Iterable[str], *, fence: FenceKind, fails: bool) -> None:
        """Points of the outside that both fences pass are struck with both; each in the life that passed it first."""
        for point in points:
            self._blows.setdefault((point, fence), Blow(point, fence, fails))

    async def _strike(self, member: Member, counter: Counter, blow: Blow) -> bool:
        """One life that dies at the point; one that has done its work and not come by is stopped, and may come by then."""
        await self._rounds.stage(is_fenced=blow.fence == "transaction")
        await self._begin(member, self._life(blow.fence, fails=blow.fails, kill=blow.point))
        await self._until(lambda: not member.is_alive or self._rounds.is_done(counter))
        await self._until(lambda: not member.is_alive, patience=GRACE_SECONDS)
        await self._stop(member)
        return blow.point in self._passed(member.life.doors)

    async def _end(self, member: Member, counter: Counter, *, fence: FenceKind) -> None:
        """One life in which nothing happens and everything ends."""
        await self._rounds.stage(is_fenced=fence == "transaction")
        await self._begin(member, self._life(fence))
        if not await self._until(lambda: self._rounds.is_done(counter), patience=10 * self.patience):
            self._wrong.append(f"no-progress, {fence}: {self._rounds.missing(counter)}")
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
            second_group=stack.second_group,
            second_topic=stack.second_topic,
            mended=self._rounds.mended,
            quarantine_after=0,  # kills from outside, many in a row at the first record
        )
        return Struck(life, Doors(self.folder / life.name, kill=kill, fails=fails))

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

    def _judged(self, counter: Counter, struck: list[str], missed: list[str], seconds: float) -> Outcome:
        wrong, seen, names = self._rounds.judged(counter)
        points = len(self._blows)
        return Outcome(
            run=f"killed at every call{f', only {self.only}' * bool(self.only)}",
            faults=f"{len(struck)} SIGKILLs, one at a point each, of {points} points, each fence's its own; calls failed once",
            records=self._rounds.records,
            seed=self.seed,
            seconds=seconds,
            wrong=[*self._wrong, *wrong],
            seen={"points not passed again": len(missed), **seen},
            names=names,
        )
