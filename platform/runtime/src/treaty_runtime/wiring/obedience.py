"""Members obey operators: commands are read, valves are turned, and each command is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from functools import partial

from treaty_runtime.control import TOPIC, Answer, Command, answer_value, read_command, valve_for
from treaty_runtime.errors import QueueFull
from treaty_runtime.hooks import Hooks, RightMissing
from treaty_runtime.transport import Delivery, Fault, FaultKind, Outgoing, Producer
from treaty_runtime.wiring.valve import GroupValve


class Obedience:
    """Turns the valves of this process's groups as told. ``member`` names this process in answers."""

    def __init__(
        self,
        valves: Mapping[str, GroupValve],
        *,
        producer: Producer,
        member: str,
        now: Callable[[], datetime],
        hooks: Hooks | None = None,
    ) -> None:
        self._valves, self._producer, self._member, self._now = valves, producer, member, now
        self._hooks = hooks or Hooks()
        self._expiring: dict[str, asyncio.TimerHandle] = {}
        self._turning: set[asyncio.Task[None]] = set()

    async def run(self, values: AsyncIterator[bytes | None]) -> None:
        """Obeys what comes, for ever; what is no command of our groups is passed over."""
        try:
            async for value in values:
                command = read_command(value)
                if command is not None and command.group in self._valves:
                    self._begin(command)
        finally:
            for timer in self._expiring.values():
                timer.cancel()

    def refused(self, fault: Fault) -> None:
        """No command can be read: whoever gives one would only hear that nobody answers."""
        for group in self._valves:
            self._hooks(RightMissing(group=group, fault=f"{fault.text} Operators' commands are not heard."))

    def _begin(self, command: Command) -> None:
        if command.expires_at <= self._now():
            return  # of another day: who gave it no longer waits for an answer
        if command.group in self._expiring:
            self._expiring.pop(command.group).cancel()
        task = asyncio.create_task(self._obey(command))
        self._turning.add(task)
        task.add_done_callback(self._turning.discard)
        seconds = (command.expires_at - self._now()).total_seconds()
        self._expiring[command.group] = asyncio.get_running_loop().call_later(seconds, self._expire, command)

    async def _obey(self, command: Command) -> None:
        self._answer(command, "accepted")
        try:
            await self._valves[command.group].turn(valve_for(command, now=self._now()))
        except Exception as error:  # noqa: BLE001  # whatever it is, the operator shall hear of it rather than wait
            self._answer(command, "failed", detail=f"{type(error).__name__}: {error}")
        else:
            self._answer(command, "done")

    def _expire(self, command: Command) -> None:
        task = asyncio.create_task(self._valves[command.group].turn(valve_for(None, now=self._now())))
        self._turning.add(task)
        task.add_done_callback(self._turning.discard)

    def _answer(self, command: Command, state: str, *, detail: str = "") -> None:
        answer = Answer(
            command_id=command.command_id,
            group=command.group,
            member=self._member,
            state=state,
            at=self._now().isoformat(),
            detail=detail,
        )
        key = f"{command.group}/{self._member}".encode()
        try:
            self._producer.produce(
                Outgoing(topic=TOPIC, key=key, value=answer_value(answer)), partial(self._answered, command.group)
            )
        except QueueFull:
            return  # the events of the service come first

    def _answered(self, group: str, delivery: Delivery) -> None:
        if delivery.fault is not None and delivery.fault.kind is FaultKind.HELD:
            self._hooks(
                RightMissing(group=group, fault=f"{delivery.fault.text} Commands are obeyed without an answer.")
            )
