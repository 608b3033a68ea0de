"""Running groups are told to pause, to leave, and to go on; their members answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from treaty.errors import EnvironmentFault
from treaty_runtime.admin import Cluster
from treaty_runtime.control import TOPIC, Answer, Command, command_value, read_answer, read_command
from treaty_runtime.event import Partition
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.transport import Outgoing

ANSWER_SECONDS, END_SECONDS = 10.0, 60.0
"""How long a member may take to hear of a command; and to finish what it runs before it has left."""
_CONTROL = Partition(TOPIC, 0)
_REPLICAS = 3
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of a command: the last answer of each member, and how many members were expected to answer."""

    answers: tuple[Answer, ...]
    expected: int

    @property
    def is_done(self) -> bool:
        """Whether all have done it."""
        return len(self.answers) >= self.expected and all(answer.state == "done" for answer in self.answers)


class Remote:
    """Gives commands on one cluster."""

    def __init__(
        self,
        cluster: Cluster,
        log: Log,
        groups: Groups,
        *,
        by: str,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._cluster, self._log, self._groups = cluster, log, groups
        self._by, self._now, self._sleep = by, now, sleep

    def members(self, group: str) -> int:
        """How many members will answer: those in the group, or those that left it by its newest command."""
        present = len(self._groups.describe(group).members)
        return present or self._obeyed(group)

    def order(self, group: str, action: str, *, reason: str, lasts: timedelta) -> Told:
        """Gives a command and waits for the answers of all members.

        Raises ``EnvironmentFault`` when no member answers in ten seconds: then its members do not run treaty, or none runs.
        """
        self._prepare()
        expected, start = max(1, self.members(group)), self._log.span(_CONTROL)[1]
        command = Command(
            command_id=str(uuid4()),
            group=group,
            action=action,
            by=self._by,
            reason=reason,
            expires_at=self._now() + lasts,
        )
        self._log.append(Outgoing(topic=TOPIC, key=group.encode(), value=command_value(command)))
        begun = self._now()
        while True:
            told = Told(answers=self._latest(start, command), expected=expected)
            waited = (self._now() - begun).total_seconds()
            if told.is_done or waited > END_SECONDS or any(answer.state == "failed" for answer in told.answers):
                return told
            if not told.answers and waited > ANSWER_SECONDS:
                raise nobody(command)
            self._sleep(_LOOK_SECONDS)

    def _latest(self, start: int, command: Command) -> tuple[Answer, ...]:
        last = {answer.member: answer for answer in self._answers(start) if answer.command_id == command.command_id}
        return tuple(last.values())

    def _answers(self, start: int) -> Iterator[Answer]:
        for partition, (low, high) in self._log.spans([TOPIC]).items():
            for record in self._log.read({partition: (max(low, start), high)}):
                answer = read_answer(record.value)
                if answer is not None:
                    yield answer

    def _obeyed(self, group: str) -> int:
        """How many members have done the newest command of a group; answers of processes long gone are to older ones."""
        records = list(self._log.read(self._log.spans([TOPIC])))
        commands = [command for record in records if (command := read_command(record.value)) and command.group == group]
        answers = (read_answer(record.value) for record in records)
        newest = commands[-1].command_id if commands else ""
        return len({each.member for each in answers if each and each.command_id == newest and each.state == "done"})

    def _prepare(self) -> None:
        replicas = min(_REPLICAS, len(self._cluster.brokers()))
        self._cluster.create(TOPIC, partitions=1, replication=replicas, config={"cleanup.policy": "compact"})
        self._cluster.await_topics([TOPIC])


def nobody(command: Command) -> EnvironmentFault:
    """What is told of a command without an answer; it lies in the topic, and holds for whoever comes later."""
    told = f"No member of {command.group} answered in {ANSWER_SECONDS:g} s: they do not run treaty, or none runs."
    step = "stop the members of this group by other means"
    if command.action != "resume":
        told += f" Whoever starts before {command.expires_at:%Y-%m-%d %H:%M} UTC still obeys."
        step += f", or take the command back: treaty groups resume {command.group}"
    return EnvironmentFault(told, next_step=step)
