"""Relays are killed, and frozen beyond their lease, while requests commit and roll back: nothing lost, no phantom, no inversion."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.reliability import evidence
from tests.reliability.member import Member
from tests.reliability.outcome import Outcome, judged, sentence
from tests.reliability.relay import TIMES, RelayLife, relay
from tests.reliability.service import event_on
from tests.reliability.stack import Counter, Stack
from tests.treaty_runtime.order_events import FakeRegistry
from treaty_runtime.clock import utcnow
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.transport import FenceKind
from treaty_runtime.wire.serde import Serde

KEYS, A_TRANSACTION, AHEAD = 200, 10, 1_500
ROLLED_BACK, ZOMBIES = 0.1, 8
"""The share of transactions that roll back; every so-many-th fault is a freeze instead of a kill."""


@dataclass(slots=True)
class RelayKills:
    """``rows`` are committed; of ``kills`` faults some freeze a relay for three leases and let it go on as a zombie."""

    stack: Stack
    rows: int
    kills: int
    seed: int
    fault: str = ""
    fence: FenceKind = "lease"
    patience: float = 300.0
    _chance: Random = field(init=False)
    _staged: list[tuple[str, int, str, str]] = field(default_factory=list)
    _sequences: dict[str, int] = field(default_factory=dict)
    _committed: int = 0
    _killed: int = 0
    _frozen: int = 0
    _lives: int = 0
    _thaws: list[tuple[float, Member]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The dice of the run."""
        self._chance = Random(self.seed)

    async def run(self) -> Outcome:
        """The whole run."""
        began = time.monotonic()
        engine = await self.stack.prepare()
        counter, relays = Counter(self.stack.database), [Member(relay) for _ in range(2)]
        try:
            for each in relays:
                each.start(self._life())
            told = await self._drive(engine, relays, counter)
        finally:
            counter.close()
            for each in relays:
                each.kill()
            await engine.dispose()
        return self._judged(told, time.monotonic() - began)

    def _life(self) -> RelayLife:
        self._lives += 1
        return RelayLife(
            name=f"r{self._lives}",
            brokers=self.stack.bootstrap,
            database=self.stack.database,
            topic=self.stack.topic,
            batch=self._chance.choice([40, 200, 1_000]),
            fault=self.fault,
            fence=self.fence,
        )

    async def _drive(self, engine: AsyncEngine, relays: list[Member], counter: Counter) -> list[str]:
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        serde = Serde(FakeRegistry(event_on(self.stack.topic)))
        outbox = Outbox(serde, service="order", now=utcnow, entropy=os.urandom)
        fewest, moved = 0, time.monotonic()
        while True:
            waiting = counter.waiting()
            done = self._committed - waiting
            if done > fewest:
                fewest, moved = done, time.monotonic()
            if time.monotonic() - moved > self.patience:
                return [f"no-progress: {waiting} of {self._committed} rows are still there"]
            self._thaw()
            if (
                not waiting
                and self._committed >= self.rows
                and self._killed + self._frozen >= self.kills
                and not self._thaws
            ):
                return []
            if self._committed < self.rows and waiting < AHEAD:
                for _ in range(10):
                    await self._request(sessions, outbox)
            if self._killed + self._frozen < self.kills and done >= self._due():
                self._strike(relays)
            await asyncio.sleep(0.02)

    def _due(self) -> int:
        return int(self.rows * 0.97 * (self._killed + self._frozen + 1) / (self.kills + 1))

    async def _request(self, sessions: async_sessionmaker[AsyncSession], outbox: Outbox) -> None:
        """One transaction, which may fail in its end."""
        is_rolled_back = self._chance.random() < ROLLED_BACK
        made: list[tuple[str, int, UUID]] = []
        async with sessions() as session:
            for key in sorted(self._chance.choices([f"o-{number}" for number in range(KEYS)], k=A_TRANSACTION)):
                number = self._sequences[key] = self._sequences.get(key, 0) + 1
                event: Any = event_on(self.stack.topic)(order_id=key, number=number)  # type: ignore[call-arg]  # a Protocol has no constructor
                made.append((key, number, outbox.stage(session, event)))
            await session.flush()
            await (session.rollback() if is_rolled_back else session.commit())
        outcome = "rolled-back" if is_rolled_back else "ok"
        self._staged += [(key, number, str(event_id), outcome) for key, number, event_id in made]
        self._committed += 0 if is_rolled_back else len(made)

    def _strike(self, relays: list[Member]) -> None:
        """Kills or freezes one; a frozen one is left alone."""
        frozen = {id(member) for _, member in self._thaws}
        free = [each for each in relays if id(each) not in frozen]
        if not free:
            return
        victim = self._chance.choice(free)
        if (self._killed + self._frozen) % ZOMBIES == ZOMBIES - 1 and len(free) == len(relays):
            victim.freeze()
            self._frozen += 1
            self._thaws.append((time.monotonic() + 3 * TIMES.lease_seconds, victim))
        else:
            victim.kill()
            victim.start(self._life())
            self._killed += 1

    def _thaw(self) -> None:
        now = time.monotonic()
        for at, member in [each for each in self._thaws if each[0] <= now]:
            member.thaw()
            self._thaws.remove((at, member))

    def _judged(self, told: list[str], seconds: float) -> Outcome:
        topic = evidence.in_topic(self.stack.bootstrap, self.stack.topic)
        broken, counted = judged([*evidence.staged(self._staged), *topic], ignoring={"unseen"})  # nobody consumes here
        if self.fence == "transaction":  # the log never goes back: what is there twice is wrong too
            broken, counted = [*broken, *counted], []
        rolled_back = sum(outcome == "rolled-back" for *_, outcome in self._staged)
        return Outcome(
            run="relays killed" if self.fence == "lease" else "relays killed, fenced by transactions",
            faults=f"{self._killed} SIGKILLs of 2 relays, {self._frozen} zombies",
            records=self._committed,
            seed=self.seed,
            seconds=seconds,
            wrong=[*told, *map(sentence, broken)],
            seen={
                "rows rolled back": rolled_back,
                "events sent twice or more": sum(len(verdict.events) for verdict in counted),
            },
            names=tuple(verdict.name for verdict in broken),
        )
