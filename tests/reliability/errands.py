"""What operators do while a service runs: each errand is a need that is made, and the real command that sees to it.

What becomes of it is owed to the round it belongs to (`rounds`): an event that is sent after all, a job that runs, one that never does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from tests.parts.waiting import NotSoYet, came_about
from tests.reliability.doors import Doors
from tests.reliability.retried import mend
from tests.reliability.rounds import Rounds
from tests.reliability.service import QUEUE
from tests.reliability.stack import Counter
from treaty.cli import main
from treaty_runtime.admin import Cluster
from treaty_runtime.clock import utcnow
from treaty_runtime.delay.schedule import Scheduler
from treaty_runtime.job import Job

Words = tuple[str, ...]
_TOO_SMALL, _WIDE = "1", "1048576"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line, the project in which it is typed, and its doors."""

    words: Words
    project: Path
    doors: Doors


def type_in(command: Command) -> None:
    """Runs the command in this process, and ends it with its exit code; what it prints is beside what it passed."""
    for name in [name for name in os.environ if name.startswith("TREATY_")]:
        del os.environ[name]
    os.chdir(command.project)
    sys.argv = ["treaty", *command.words]
    command.doors.watch_command()
    told = command.doors.seen.with_suffix(".told")
    with told.open("a", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        main()


class Desk:
    """Makes needs; each answers the words of the command that sees to it, once the need is there."""

    def __init__(self, rounds: Rounds, counter: Counter) -> None:
        self._rounds, self._counter, self._number = rounds, counter, 0

    async def given_up(self) -> Words:
        """An event was given up, and its cause is mended since."""
        await self._rounds.stage_second(is_fenced=False)
        await self._must(lambda: self._rounds.is_done(self._counter))
        self._rounds.mend_all()
        return ("dlq", "replay", "--all", "--topic", self._rounds.stack.dead_letter, "--rate", "500", "--yes")

    async def refused(self) -> Words:
        """The broker refused a row, and takes it by now; another waits behind it."""
        topic, key = await self._refuse()
        with Cluster(self._rounds.stack.bootstrap, timeout=60) as cluster:
            cluster.alter(topic, {"max.message.bytes": _WIDE})
        return ("outbox", "retry", "--key", key, "--database", self._rounds.stack.database, "--yes")

    async def refused_for_ever(self) -> Words:
        """The broker refuses a row for ever, and another waits behind it."""
        _, key = await self._refuse(is_for_ever=True)
        words = ("outbox", "discard", "--key", key, "--reason", "too large for ever")
        return (*words, "--database", self._rounds.stack.database, "--yes")

    async def failed_job(self) -> Words:
        """A delayed job has failed for good, and its cause is mended since."""
        name = self._name("failed")
        await self._schedule(name, after=timedelta(0))
        await self._must(lambda: self._counter.failed_jobs([name]) == 1)
        mend(self._rounds.mended, name)
        self._rounds.extra_jobs += 1
        return ("delay", "retry", QUEUE, name, "--database", self._rounds.stack.database, "--yes")

    async def unwanted_job(self) -> Words:
        """A job waits that shall not run any more."""
        name = self._name("unwanted")
        await self._schedule(name, after=timedelta(hours=1))
        self._rounds.unwanted.append(name)
        return ("delay", "cancel", QUEUE, name, "--database", self._rounds.stack.database, "--yes")

    async def busy_group(self, action: str) -> Words:
        """The second group is to do something, and has an event to retry when it reads on."""
        await self._rounds.stage_second(is_fenced=False)
        return ("groups", action, self._rounds.stack.second_group, "--reason", "planted", "--yes")

    async def _schedule(self, name: str, *, after: timedelta) -> None:
        async with self._rounds.sessions.begin() as session:
            Scheduler().schedule(session, Job(queue=QUEUE, id=name, due=utcnow() + after, payload=b"fails"))

    async def _refuse(self, *, is_for_ever: bool = False) -> tuple[str, str]:
        """A topic that takes nothing, and the key of a row that was refused there."""
        stack, key = self._rounds.stack, self._name("refused")
        topic = f"{stack.name}.{key}"
        with Cluster(stack.bootstrap, timeout=60) as cluster:
            cluster.create(topic, partitions=1, replication=1, config={"max.message.bytes": _TOO_SMALL})
            cluster.await_topics([topic])
        made = await self._rounds.transaction([(topic, key, 1), (stack.topic, key, 2)])
        self._rounds.refuse(topic, made[0], is_for_ever=is_for_ever)
        self._rounds.staged.append(made[1])
        await self._must(lambda: self._counter.refused(key) == 1)
        return topic, key

    def _name(self, what: str) -> str:
        self._number += 1
        return f"{what}-{self._number}"

    async def _must(self, condition: Callable[[], bool]) -> None:
        if not await came_about(condition):
            raise NotSoYet(f"The need did not come: {self._rounds.missing(self._counter)}")


class Errand(NamedTuple):
    """How it is called, what makes the need of it, and the words that have to follow so that everything goes on."""

    name: str
    need: Callable[[Desk], Awaitable[Words]]
    before: str = ""
    after: str = ""


ERRANDS = (
    Errand("dlq replay", Desk.given_up),
    Errand("outbox retry", Desk.refused),
    Errand("outbox discard", Desk.refused_for_ever),
    Errand("delay retry", Desk.failed_job),
    Errand("delay cancel", Desk.unwanted_job),
    Errand("groups pause", lambda desk: desk.busy_group("pause"), after="resume"),
    Errand("groups release", lambda desk: desk.busy_group("release"), after="resume"),
    Errand("groups resume", lambda desk: desk.busy_group("resume"), before="pause"),
)
