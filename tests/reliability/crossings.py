"""A service is killed once at every point where it speaks to the outside, and every such call fails once: each effect once all the same.

So are the operators' commands (`desks`). Or each is stopped there until another has taken its place, and goes on as a zombie.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from tests.parts.waiting import came_about
from tests.reliability.desks import LIVES, NAME, Desks
from tests.reliability.doors import Doors, Mode
from tests.reliability.errands import ERRANDS, Errand
from tests.reliability.member import Member
from tests.reliability.outcome import Outcome
from tests.reliability.points import Points, Strike, Tally
from tests.reliability.rounds import Rounds
from tests.reliability.service import SESSION_MS, Life, serve
from tests.reliability.stack import Counter, Stack
from treaty_runtime.publish.lease import Lease, LeaseTimes
from treaty_runtime.transport import FenceKind
from treaty_runtime.wiring import sql_side

_RUNS = {"kill": "killed at every call", "stop": "frozen at every call"}
FENCES: tuple[FenceKind, ...] = ("lease", "transaction")
GRACE_SECONDS = 8.0
"""So long a life goes on after its work is done: what it does by the clock is passed too."""
QUIET_SECONDS = 30.0
"""A life that has passed no new point for so long will hardly pass another before its end, though it may wait for a job's lease."""
TIMES = LeaseTimes(lease_seconds=3.0, renew_seconds=0.9, margin_seconds=0.9)
"""Whoever follows a relay that was killed waits for the end of its leases."""
FROZEN_SECONDS = SESSION_MS / 1000 + 15.0
"""So long a life is stopped, well beyond its leases and its session, unless another has done all there is before that."""


@dataclass(frozen=True, slots=True)
class Struck:
    """A life with doors."""

    life: Life
    doors: Doors


def serve_struck(struck: Struck) -> None:
    """Serves until it is killed, by itself or by a signal."""
    struck.doors.watch()
    serve_with_short_leases(struck.life)


def serve_with_short_leases(life: Life) -> None:
    """Serves until it is told to end."""
    vars(sql_side)["Lease"] = partial(Lease, times=TIMES)
    serve(life)


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
    mode: Mode = "kill"
    patience: float = 60.0
    errands: tuple[Errand, ...] = ERRANDS
    _lives: int = 0
    _points: dict[FenceKind, Points[FenceKind]] = field(default_factory=lambda: {fence: Points() for fence in FENCES})
    _wrong: list[str] = field(default_factory=list)
    _tallies: dict[FenceKind, Tally] = field(default_factory=lambda: {fence: Tally(fence) for fence in FENCES})
    _taken: int = 0
    _rounds: Rounds = field(init=False)

    async def run(self) -> Outcome:
        """The whole run."""
        began = time.monotonic()
        self.folder.mkdir(exist_ok=True)
        engine = await self.stack.prepare()
        self._rounds = Rounds(self.stack, str(self.folder / "mended"))
        self._rounds.open(engine)
        counter, member = Counter(self.stack.database), Member(serve_struck)
        desks = Desks(self._rounds, counter, self.folder / "desks", self.mode, self.kills, self.only, self.errands)
        try:
            await self._operators(member, desks)
            for fence in FENCES if NAME not in self.only else ():
                await self._service(member, counter, fence=fence)
            await self._tidy(member, desks)
            return self._judged(counter, desks, time.monotonic() - began)
        finally:
            member.kill()
            counter.close()
            self._rounds.close()
            await engine.dispose()

    async def _service(self, member: Member, counter: Counter, *, fence: FenceKind) -> None:
        for fails in LIVES[self.mode]:
            await self._learn(member, counter, fence=fence, fails=fails)
        chosen = self._points[fence].chosen(kills=self.kills, only=self.only)
        for strike in chosen:
            is_struck = await (self._kill if self.mode == "kill" else self._freeze)(member, counter, strike)
            self._tallies[fence].note(strike, is_struck=is_struck, wanted=len(chosen))
        await self._end(member, counter, fence=fence)

    async def _operators(self, member: Member, desks: Desks) -> None:
        """First of all, while few events have been given up. A service runs beside them that nothing happens to."""
        await self._beside(member, desks.run())

    async def _tidy(self, member: Member, desks: Desks) -> None:
        """What was given up goes back at last, and has its effect."""
        await self._beside(member, desks.tidy())

    async def _beside(self, member: Member, work: Coroutine[None, None, None]) -> None:
        member.start(self._life("lease"))
        await work
        if (code := await self._stop(member)) != 0:
            self._wrong.append(f"the life beside the operators ended with {code}")

    async def _begin(self, member: Member, life: Struck) -> None:
        """Redis keeps scripts, and only a life that finds none loads them: each begins without."""
        async with Redis.from_url(self.redis) as redis:
            await redis.script_flush()
        member.start(life)

    async def _learn(self, member: Member, counter: Counter, *, fence: FenceKind, fails: bool) -> None:
        """What a whole life passes, from its start to its good end; and what one passes in which every call fails once."""
        await self._rounds.stage(is_fenced=fence == "transaction")
        await self._begin(member, self._life(fence, fails=fails))
        doors: Doors = member.life.doors
        passed, since = 0, time.monotonic()

        def is_quiet() -> bool:
            nonlocal passed, since
            if len(doors.passed()) > passed:
                passed, since = len(doors.passed()), time.monotonic()
            return passed > 0 and time.monotonic() - since > QUIET_SECONDS

        await came_about(lambda: self._rounds.is_done(counter) or is_quiet(), patience=self.patience)
        await self._stop(member)
        # Points of the outside that both fences pass are struck with both; each in the life that passed it first.
        self._points[fence].note(member.life.doors.passed(), where=fence, fails=fails)

    async def _kill(self, member: Member, counter: Counter, strike: Strike[FenceKind]) -> bool:
        """One life that dies at the point; one that has done its work and not come by is stopped, and may come by then."""
        await self._rounds.stage(is_fenced=strike.where == "transaction")
        await self._begin(member, self._life(strike.where, fails=strike.fails, strikes=strike.point))
        await came_about(lambda: not member.is_alive or self._rounds.is_done(counter), patience=self.patience)
        await came_about(lambda: not member.is_alive, patience=GRACE_SECONDS)
        await self._stop(member)
        return strike.point in member.life.doors.passed()

    async def _freeze(self, member: Member, counter: Counter, strike: Strike[FenceKind]) -> bool:
        """One life that stops at the point and, when its time is over and another has what it had, goes on beside that."""
        is_fenced = strike.where == "transaction"
        await self._rounds.stage(is_fenced=is_fenced)
        await self._begin(member, self._life(strike.where, fails=strike.fails, strikes=strike.point))

        def is_struck() -> bool:
            return strike.point in member.life.doors.passed()

        await came_about(lambda: is_struck() or self._rounds.is_done(counter), patience=self.patience)
        if not await came_about(is_struck, patience=GRACE_SECONDS) and member.is_alive:
            member.ask_to_stop()
            await came_about(lambda: is_struck() or not member.is_alive, patience=self.patience)
        if is_struck():
            await self._take_over(member, counter, strike)
        await self._stop(member)
        return is_struck()

    async def _take_over(self, member: Member, counter: Counter, strike: Strike[FenceKind]) -> None:
        """Another life does all there is while the first is stopped, as far as its open transaction lets it; then both go on."""
        is_fenced = strike.where == "transaction"
        other = Member(serve_struck)
        await self._rounds.stage(is_fenced=is_fenced)
        await self._begin(other, self._life(strike.where))
        try:
            self._taken += await came_about(lambda: self._rounds.is_done(counter), patience=FROZEN_SECONDS)
            member.thaw()
            await self._rounds.stage(is_fenced=is_fenced)
            if not await came_about(lambda: self._rounds.is_done(counter), patience=2 * self.patience):
                self._wrong.append(f"no-progress after {strike.point}, {strike.where}: {self._rounds.missing(counter)}")
            for name, each in (("stopped", member), ("other", other)):
                code = await self._stop(each)
                # So young a one may not listen to signals yet, and ends by the signal itself.
                is_young = code == -signal.SIGTERM and not counter.at_work([each.life.life.name])
                if code != 0 and not is_young:
                    self._wrong.append(f"the {name} life at {strike.point}, {strike.where}, ended with {code}")
        finally:
            other.kill()

    async def _end(self, member: Member, counter: Counter, *, fence: FenceKind) -> None:
        """One life in which nothing happens and everything ends."""
        await self._rounds.stage(is_fenced=fence == "transaction")
        await self._begin(member, self._life(fence))
        if not await came_about(lambda: self._rounds.is_done(counter), patience=10 * self.patience):
            self._wrong.append(f"no-progress, {fence}: {self._rounds.missing(counter)}")
        if (code := await self._stop(member)) != 0:
            self._wrong.append(f"the last life, {fence}, ended with {code}")

    async def _stop(self, member: Member) -> int | None:
        if member.is_alive:
            member.ask_to_stop()
        code = await asyncio.to_thread(member.stopped, within=self.patience)
        member.kill()
        return code

    def _life(self, fence: FenceKind, *, strikes: str = "", fails: bool = False) -> Struck:
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
            # Known to the group, so that nobody waits for the one that was killed; but one that was stopped shall be replaced by another.
            instance=f"{stack.name}-0" if self.mode == "kill" else None,
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
        return Struck(life, Doors(self.folder / life.name, strikes=strikes, mode=self.mode, fails=fails))

    def _judged(self, counter: Counter, desks: Desks, seconds: float) -> Outcome:
        wrong, seen, names = self._rounds.judged(counter)
        tallies = [*self._tallies.values(), desks.tally]
        struck = [point for tally in tallies for point in tally.struck]
        missed = [point for tally in tallies for point in tally.missed]
        if missed:
            print("Not passed again:", *missed, sep="\n  ")
        what = {"kill": "SIGKILLs", "stop": "SIGSTOPs"}[self.mode]
        points = len(desks.points) + sum(map(len, self._points.values()))
        taken = {"of another life that did all meanwhile": self._taken} if self.mode == "stop" else {}
        return Outcome(
            run=f"{_RUNS[self.mode]}{f', only {self.only}' * bool(self.only)}",
            faults=f"{len(struck)} {what}, one at a point each, of {points} points, "
            f"{len(desks.tally.struck)} of them in operators' commands{'; calls failed once' * (self.mode == 'kill')}",
            records=self._rounds.records,
            seed=self.seed,
            seconds=seconds,
            wrong=[*self._wrong, *desks.wrong, *wrong],
            seen={"points not passed again": len(missed), **taken, **seen},
            names=names,
        )
