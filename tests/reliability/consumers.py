"""Members of a group are killed by SIGKILL while they handle events in transactions: nothing is lost, doubled, or out of order."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from tempfile import TemporaryDirectory

from tests.reliability import diary, evidence
from tests.reliability.ends import ended_badly
from tests.reliability.member import Member
from tests.reliability.outcome import Outcome, judged, sentence
from tests.reliability.progress import PATIENCE_SECONDS, Progress
from tests.reliability.service import Life, event_on, serve, settings_of
from tests.reliability.stack import Counter, Stack
from tests.treaty_runtime.order_events import FakeRegistry, OrderCreated
from treaty_runtime.admin import ClusterRefused
from treaty_runtime.event import Partition
from treaty_runtime.kafka import KafkaProducer
from treaty_runtime.kafka.config import producer_config
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.publish.publisher import Publisher
from treaty_runtime.testing.checker import Entry
from treaty_runtime.wire.serde import Serde

KEYS, CHUNK, AHEAD = 500, 250, 6_000
FAILING = 0.002
_ANSWERING_SECONDS = 5.0


@dataclass(slots=True)
class ConsumerKills:
    """``fault`` plants a wrong design. ``patience``: without progress for so many seconds the run ends, and is judged."""

    stack: Stack
    records: int
    kills: int
    seed: int
    members: int = 4
    fault: str = ""
    patience: float = PATIENCE_SECONDS
    _chance: Random = field(init=False)
    _killed: int = 0
    _lives: int = 0
    _late: int = 0
    _diaries: str = ""

    def __post_init__(self) -> None:
        """The dice of the run."""
        self._chance = Random(self.seed)

    async def run(self) -> Outcome:
        """The whole run."""
        with TemporaryDirectory(prefix="diaries-") as self._diaries:
            return await self._run()

    async def _run(self) -> Outcome:
        began = time.monotonic()
        engine = await self.stack.prepare()
        await engine.dispose()
        counter = Counter(self.stack.database)
        members = [Member(serve) for _ in range(self.members)]
        try:
            for index, member in enumerate(members):
                member.start(self._life(index))
            told = await self._drive(members, counter)
            told += ended_badly(members, counter)
            seen = {"attempts undone": counter.undone(), "lives": self._lives, "late stalls": self._late}
        finally:
            counter.close()
            for member in members:
                member.kill()
        return self._judged(told, seen, time.monotonic() - began)

    def _life(self, index: int) -> Life:
        """Every other member is static; some take single transactions, some many events in one."""
        self._lives += 1
        return Life(
            name=f"m{index}.{self._lives}",
            brokers=self.stack.bootstrap,
            database=self.stack.database,
            topic=self.stack.topic,
            group=self.stack.group,
            dead_letter=self.stack.dead_letter,
            seed=self._chance.randrange(1 << 30),
            instance=f"{self.stack.name}-{index}" if index % 2 else None,
            transaction_size=self._chance.choice([1, 20, 50]),
            failing=FAILING,
            fault=self.fault,
            diary=self._diaries,
        )

    async def _drive(self, members: list[Member], counter: Counter) -> list[str]:
        """Publishes ahead of the group and kills as it goes on, so often as asked, spread over all records."""
        publisher, producer = self._publisher(members[0].life)
        sequences = dict.fromkeys((f"o-{number}" for number in range(KEYS)), 0)
        published, progress = 0, Progress(lambda: self._standing(members), self.patience)
        while True:
            done = counter.effects()
            if done >= self.records and self._killed >= self.kills and counter.events() >= self.records:
                break
            if (standing := await progress.stalled(done)) is not None:
                await producer.close()
                told = f"{counter.events()} of {self.records} events had an effect, {published} were published"
                return [f"no-progress: {told}", *standing]
            while published < self.records and published - done < AHEAD:
                size = min(CHUNK, self.records - published)
                await publisher.publish_many([self._next(sequences) for _ in range(size)])
                published += size
            if self._killed < self.kills and done >= self._due(self._killed):
                self._kill_one(members, counter)
            await asyncio.sleep(0.1)
        await producer.close()
        self._late += progress.late
        return await self._caught_up(members)

    async def _caught_up(self, members: list[Member]) -> list[str]:
        """Waits until all is committed: what a killed member had done is read again by the next owner, and has no effect any more."""
        stack, progress = self.stack, Progress(lambda: self._standing(members), self.patience)
        while left := await asyncio.to_thread(evidence.behind, stack.bootstrap, stack.group, stack.topic):
            if (standing := await progress.stalled(self.records - left)) is not None:
                return [f"no-progress: {left} offsets are not committed", *standing]
            await asyncio.sleep(1)
        self._late += progress.late
        return []

    async def _standing(self, members: list[Member]) -> list[str]:
        """Where everybody stands who did not move: the broker's view of the group, and the members' diaries."""
        for member in members:
            member.ask_where_it_stands()
        await asyncio.sleep(_ANSWERING_SECONDS)
        return [
            *await asyncio.to_thread(self._seen_by_the_broker),
            *(f"{member.life.name} alive: {member.is_alive}" for member in members),
            *diary.told(self._diaries),
        ]

    def _seen_by_the_broker(self) -> list[str]:
        """The group as it is described, and whether the coordinator still takes a commit of another group."""
        groups = Groups(self.stack.bootstrap, timeout=30)
        seen = [str(groups.describe(self.stack.group))]
        try:
            groups.commit(f"{self.stack.name}-asks", {Partition(self.stack.topic, 0): 0})
        except ClusterRefused as fault:
            return [*seen, f"a commit of another group: {fault}"]
        return [*seen, "a commit of another group was taken"]

    def _due(self, number: int) -> int:
        """How many effects there are before the kill of that number."""
        return int(self.records * 0.97 * (number + 1) / (self.kills + 1))

    def _kill_one(self, members: list[Member], counter: Counter) -> None:
        """Mostly one that has had effects in this life; sometimes any, so that one dies while it joins."""
        at_work = counter.at_work([member.life.name for member in members])
        busy = [index for index, member in enumerate(members) if member.life.name in at_work]
        index = self._chance.choice(busy if busy and self._chance.random() < 0.9 else range(len(members)))
        members[index].kill()
        members[index].start(self._life(index))
        self._killed += 1

    def _next(self, sequences: dict[str, int]) -> OrderCreated:
        key = self._chance.choice(tuple(sequences))
        sequences[key] += 1
        made: OrderCreated = event_on(self.stack.topic)(order_id=key, number=sequences[key])  # type: ignore[call-arg, assignment]  # a Protocol has no constructor
        return made

    def _publisher(self, life: Life) -> tuple[Publisher, KafkaProducer]:
        config = producer_config(settings_of(replace(life, instance=None)), delivery_timeout=timedelta(minutes=2))
        producer = KafkaProducer(config)
        serde = Serde(FakeRegistry(event_on(self.stack.topic)))
        publisher = Publisher(producer, serde, service="order", registry_url="http://registry", entropy=os.urandom)
        return publisher, producer

    def _judged(self, told: list[str], seen: dict[str, int], seconds: float) -> Outcome:
        stack = self.stack
        history: list[Entry] = [
            *evidence.in_topic(stack.bootstrap, stack.topic),
            *evidence.effects(stack.database),
            *evidence.commits(stack.bootstrap, stack.group, stack.topic),
        ]
        broken, _ = judged(history)
        dead = sum(1 for _ in evidence.records(stack.bootstrap, stack.dead_letter))
        left = evidence.behind(stack.bootstrap, stack.group, stack.topic)
        wrong = [*told, *map(sentence, broken)]
        wrong += [f"{dead} dead letters"] * (dead > 0)
        if left > 0:
            wrong += [f"{left} offsets are not committed after the end", *diary.told(self._diaries)]
        return Outcome(
            run="consumers killed",
            faults=f"{self._killed} SIGKILLs of {self.members} members",
            records=self.records,
            seed=self.seed,
            seconds=seconds,
            wrong=wrong,
            seen=seen,
            names=tuple(verdict.name for verdict in broken),
        )
