"""What is given to the services that are struck, round by round, what they owe for it, and whether they have done it."""

from __future__ import annotations

import os
from collections import Counter as Counts
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.reliability import evidence
from tests.reliability.outcome import judged, sentence
from tests.reliability.retried import DOOMED, POLICY, RETRIED, mend
from tests.reliability.service import event_on
from tests.reliability.stack import Counter, Stack
from tests.treaty_runtime.order_events import FakeRegistry
from treaty_runtime.admin import Cluster
from treaty_runtime.clock import utcnow
from treaty_runtime.event import Partition
from treaty_runtime.kafka.log import Log
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.testing.checker import Entry, Verdict
from treaty_runtime.wire.serde import Serde

KEYS, OF_A_KEY = 2, 10
"""Every tenth event of a key schedules a job."""
_RETRY_PARTITIONS = 1


@dataclass(slots=True)
class Rounds:
    """The scenario of one run. ``mended``: the folder in which it is noted which events fail no more."""

    stack: Stack
    mended: str
    number: int = 0
    staged: list[tuple[str, int, str, str]] = field(default_factory=list)
    extra_jobs: int = 0
    unwanted: list[str] = field(default_factory=list)
    """Ids of jobs that an operator cancels."""
    _refused: list[tuple[str, int, str, str]] = field(default_factory=list)
    _narrow: list[str] = field(default_factory=list)
    _retried: list[tuple[str, int, str, str]] = field(default_factory=list)
    _fenced: set[str] = field(default_factory=set)
    _doomed: dict[str, str] = field(default_factory=dict)
    _mended: set[str] = field(default_factory=set)
    _outbox: Outbox = field(init=False)
    sessions: async_sessionmaker[AsyncSession] = field(init=False)
    _log: Log = field(init=False)

    def open(self, engine: AsyncEngine) -> None:
        """Makes what the second group needs."""
        serde = Serde(FakeRegistry(event_on(self.stack.topic)))
        self.sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._outbox = Outbox(serde, service="order", now=utcnow, entropy=os.urandom)
        self._log = Log(self.stack.bootstrap, timeout=60)
        topics = (self.stack.second_topic, *POLICY.topics(self.stack.second_group))
        with Cluster(self.stack.bootstrap, timeout=60) as cluster:
            for topic in topics:
                cluster.create(topic, partitions=_RETRY_PARTITIONS, replication=1, config={})
            cluster.await_topics(topics)

    def close(self) -> None:
        """Ends the connections."""
        self._log.__exit__(None, None, None)

    async def stage(self, *, is_fenced: bool) -> None:
        """A transaction of ten events for each of two keys, and one with an event to be retried and one to be given up."""
        self.number += 1
        made = []
        for number in range(KEYS):
            key = f"o-{self.number}-{number}"
            events = [(self.stack.topic, key, sequence) for sequence in range(1, OF_A_KEY + 1)]
            made += await self.transaction(events)
        self.staged += made
        self._fenced |= {event_id for *_, event_id, _ in made if is_fenced}
        await self.stage_second(is_fenced=is_fenced)

    async def stage_second(self, *, is_fenced: bool) -> None:
        """A transaction with an event to be retried and one to be given up."""
        self.number += 1
        second = self.stack.second_topic
        made = await self.transaction([(second, f"{name}-{self.number}", number) for name, number in _SECOND.items()])
        self._retried += made
        self._doomed |= {event_id: key for key, number, event_id, _ in made if number == DOOMED}
        self._fenced |= {event_id for *_, event_id, _ in made if is_fenced}

    def refuse(self, topic: str, staged: tuple[str, int, str, str], *, is_for_ever: bool) -> None:
        """Notes a staged event that the broker refuses in its topic, for ever or until an operator has retried it."""
        self._narrow.append(topic)
        key, number, event_id, _ = staged
        # What is discarded is, for whoever reads the topic, as if it had been rolled back.
        self._refused.append((key, number, event_id, "rolled-back" if is_for_ever else "ok"))

    async def transaction(self, events: list[tuple[str, str, int]]) -> list[tuple[str, int, str, str]]:
        """Stages events, each a topic, a key and a number, all or none; answers them as the checker's stagings."""
        made = []
        async with self.sessions.begin() as session:
            for topic, key, number in events:
                event: Any = event_on(topic)(order_id=key, number=number)  # type: ignore[call-arg]  # a Protocol has no constructor
                made.append((key, number, str(self._outbox.stage(session, event)), "ok"))
        return made

    def mend_all(self) -> None:
        """What was bound to fail will succeed, once it is tried again."""
        for event_id, key in self._doomed.items():
            mend(self.mended, key)
            self._mended.add(event_id)

    def is_done(self, counter: Counter) -> bool:
        """Whether everything has its effect but what is bound to fail, which was given up."""
        owed = len(self.staged) + len(self._retried) - len(self._doomed.keys() - self._mended)
        return (
            counter.events() >= owed
            and counter.jobs() >= self.jobs_owed
            and counter.waiting() == 0
            and counter.delayed(self.unwanted) == 0
            and self._log.span(Partition(self.stack.dead_letter, 0))[1] >= len(self._doomed)
        )

    @property
    def jobs_owed(self) -> int:
        """How many delayed jobs have to run."""
        return sum(sequence == OF_A_KEY for _, sequence, *_ in self.staged) + self.extra_jobs

    def missing(self, counter: Counter) -> str:
        """What is not done, in words."""
        owed = len(self.staged) + len(self._retried)
        return f"{counter.events()} of {owed} events had an effect, {counter.jobs()} of {self.jobs_owed} jobs ran"

    @property
    def records(self) -> int:
        """How many events were given."""
        return len(self.staged) + len(self._retried) + len(self._refused)

    def judged(self, counter: Counter) -> tuple[list[str], dict[str, int], tuple[str, ...]]:
        """What is wrong after all is done, what was counted, and the checker's names."""
        stack, in_topics = self.stack, self._in_topics()
        history = [
            *evidence.staged([*self.staged, *self._retried]),
            *in_topics,
            *evidence.effects(stack.database),
            *self._dead_letters(),
            *evidence.commits(stack.bootstrap, stack.group, stack.topic),
            *evidence.commits(stack.bootstrap, stack.second_group, stack.second_topic),
        ]
        broken, counted = judged(history)
        narrow = [entry for topic in self._narrow for entry in evidence.in_topic(stack.bootstrap, topic)]
        unsent, sent_again = judged(
            [*evidence.staged(self._refused), *narrow], ignoring={"unseen"}
        )  # nobody reads them
        broken, counted = [*broken, *unsent], [*counted, *sent_again]
        wrong = [*map(sentence, broken), *self._wrong_dead_letters()]
        jobs = counter.jobs()
        wrong += [f"{jobs} jobs ran of {self.jobs_owed}"] * (jobs != self.jobs_owed)
        copies = Counts(entry.event_id for entry in in_topics if entry.event_id in self._fenced)
        twice = [event_id for event_id, count in copies.items() if count > 1]
        wrong += [f"{len(twice)} events fenced by transactions are in the log twice: {twice[:3]}"] * bool(twice)
        seen = {
            "events retried by their topic": len(self._retried) - len(self._doomed),
            "dead letters by plan": len(self._doomed),
            "rows refused": len(self._refused),
            "delayed jobs": jobs,
            "events sent twice or more": _sent_twice(counted),
        }
        return wrong, seen, tuple(verdict.name for verdict in broken)

    def _in_topics(self) -> list[Entry]:
        stack = self.stack
        return [
            *evidence.in_topic(stack.bootstrap, stack.topic),
            *evidence.in_topic(stack.bootstrap, stack.second_topic),
        ]

    def _dead_letters(self) -> list[Entry]:
        given_up = evidence.records(self.stack.bootstrap, self.stack.dead_letter)
        return [Entry(t=0, process="dlq", op="dead-letter", event_id=evidence.event_id_of(each)) for each in given_up]

    def _wrong_dead_letters(self) -> list[str]:
        letters = {entry.event_id for entry in self._dead_letters()}
        strays, lost = letters - self._doomed.keys(), self._doomed.keys() - letters
        wrong = [f"{len(strays)} dead letters that nobody planned: {sorted(strays)[:3]}"] * bool(strays)
        return wrong + [f"{len(lost)} events were not given up: {sorted(lost)[:3]}"] * bool(lost)


_SECOND = {"r": RETRIED, "d": DOOMED}


def _sent_twice(counted: list[Verdict]) -> int:
    return sum(len(verdict.events) for verdict in counted)
