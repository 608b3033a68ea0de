"""Members are told to stop by SIGTERM under load, again and again: exit code 0, and nothing unfinished is committed."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import psycopg

from tests.reliability import evidence
from tests.reliability.ends import ended_badly
from tests.reliability.member import Member
from tests.reliability.outcome import Outcome, judged, sentence
from tests.reliability.service import Life, event_on, serve
from tests.reliability.stack import Counter, Stack
from tests.treaty_runtime.order_events import FakeRegistry
from treaty_runtime.event import Partition
from treaty_runtime.kafka import KafkaProducer
from treaty_runtime.kafka.config import producer_config
from treaty_runtime.publish.publisher import Publisher
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.wire.serde import Serde

KEYS, CHUNK, AHEAD, MEMBERS = 200, 200, 3_000, 4
SLOWEST_SECONDS = 0.05


@dataclass(slots=True)
class Stops:
    """So many orderly ends of ``MEMBERS`` members, each at a moment when they handle; the load never ends before the last."""

    stack: Stack
    stops: int
    seed: int
    patience: float = 180.0
    _chance: Random = field(init=False)
    _lives: int = 0
    _stopped: int = 0
    _published: int = 0
    _places: dict[Partition, dict[int, str]] = field(default_factory=dict)
    _wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The dice of the run."""
        self._chance = Random(self.seed)

    async def run(self) -> Outcome:
        """The whole run."""
        began = time.monotonic()
        engine = await self.stack.prepare()
        await engine.dispose()
        counter = Counter(self.stack.database)
        members = [Member(serve) for _ in range(MEMBERS)]
        try:
            for index, member in enumerate(members):
                member.start(self._life(index))
            await self._drive(members, counter)
            await self._end(members, counter)
            seen = {"attempts undone": counter.undone()}
        finally:
            counter.close()
            for member in members:
                member.kill()
        return self._judged(seen, time.monotonic() - began)

    def _life(self, index: int) -> Life:
        self._lives += 1
        return Life(
            name=f"m{index}.{self._lives}",
            brokers=self.stack.bootstrap,
            database=self.stack.database,
            topic=self.stack.topic,
            group=self.stack.group,
            dead_letter=self.stack.dead_letter,
            seed=self._chance.randrange(1 << 30),
            transaction_size=self._chance.choice([1, 20]),
            slowest=SLOWEST_SECONDS,
        )

    async def _drive(self, members: list[Member], counter: Counter) -> None:
        """Two of the four end at once, so that partitions move in both directions while they do."""
        config = producer_config(KafkaSettings(brokers=self.stack.bootstrap), delivery_timeout=timedelta(minutes=2))
        producer = KafkaProducer(config)
        serde = Serde(FakeRegistry(event_on(self.stack.topic)))
        publisher = Publisher(producer, serde, service="order", registry_url="http://registry", entropy=os.urandom)
        done, moved = 0, time.monotonic()
        while self._stopped < self.stops and time.monotonic() - moved < self.patience:
            now_done = counter.effects()
            while self._published - now_done < AHEAD:
                await self._publish(publisher)
            at_work = counter.at_work([member.life.name for member in members])
            busy = [index for index, member in enumerate(members) if member.life.name in at_work]
            if now_done > done and len(busy) >= 2:
                done, moved = now_done, time.monotonic()
                await self._stop(members, self._chance.sample(busy, k=min(2, self.stops - self._stopped)))
            await asyncio.sleep(self._chance.uniform(0, 0.2))
        await producer.close()

    async def _publish(self, publisher: Publisher) -> None:
        event = event_on(self.stack.topic)
        first = self._published // KEYS
        published = await publisher.publish_many(
            [event(order_id=f"o-{number}", number=first) for number in range(CHUNK)]  # type: ignore[call-arg]  # a Protocol has no constructor
        )
        self._published += len(published)
        for each in published:
            self._places.setdefault(Partition(each.topic, each.partition), {})[each.offset] = str(each.event_id)

    async def _stop(self, members: list[Member], victims: list[int]) -> None:
        for index in victims:
            members[index].ask_to_stop()
        for index in victims:
            code = await asyncio.to_thread(members[index].stopped)
            self._stopped += 1
            if code != 0:
                self._wrong.append(f"{members[index].life.name} ended with {code} after SIGTERM")
                members[index].kill()
        self._look()
        if self._stopped < self.stops:
            for index in victims:
                members[index].start(self._life(index))

    def _look(self) -> None:
        """Reads the offsets first and the effects after: what is committed must have its effect by then."""
        offsets = evidence.committed(self.stack.bootstrap, self.stack.group, self.stack.topic)
        with psycopg.connect(evidence.plain(self.stack.database)) as connection:
            done = {row[0] for row in connection.execute("SELECT event_id FROM effect")}
        for partition, offset in offsets.items():
            places = self._places.get(partition, {})
            passed = [name for place, name in places.items() if place < offset and name not in done]
            if passed:
                self._wrong.append(f"commit-past-unfinished: {partition} at {offset}: {', '.join(passed[:3])}")
            for place in [place for place in places if place < offset]:
                del places[place]

    async def _end(self, members: list[Member], counter: Counter) -> None:
        self._wrong += await asyncio.to_thread(ended_badly, [each for each in members if each.is_alive], counter)
        self._look()

    def _judged(self, seen: dict[str, int], seconds: float) -> Outcome:
        stack = self.stack
        history = [*evidence.in_topic(stack.bootstrap, stack.topic), *evidence.effects(stack.database)]
        broken, _ = judged(
            [*history, *evidence.commits(stack.bootstrap, stack.group, stack.topic)],
            ignoring={"unseen"},  # the load is cut off in the middle
        )
        if self._stopped < self.stops:
            self._wrong.append(f"no-progress: only {self._stopped} of {self.stops} ends")
        return Outcome(
            run="SIGTERM under load",
            faults=f"{self._stopped} SIGTERMs of {MEMBERS} members",
            records=sum(entry.op == "effect" for entry in history),
            seed=self.seed,
            seconds=seconds,
            wrong=[*self._wrong, *map(sentence, broken)],
            seen=seen,
            names=tuple(verdict.name for verdict in broken),
        )
