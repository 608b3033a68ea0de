"""Commands of operators: what a member does under each, and what is no command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from tests.treaty_runtime.relaying import until
from treaty_runtime.control import (
    TOPIC,
    Answer,
    Command,
    Valve,
    answer_value,
    command_value,
    read_answer,
    read_command,
    valve_for,
)
from treaty_runtime.event import Partition
from treaty_runtime.hooks import Hooks, RightMissing
from treaty_runtime.transport import Assigned, Delivery, Fault, FaultKind, Records, Revoking, SourceEvent
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer, MemorySource
from treaty_runtime.transport.protocol import Outgoing
from treaty_runtime.wiring.obedience import Obedience
from treaty_runtime.wiring.valve import GroupValve

NOW, HOME = datetime(2026, 3, 4, tzinfo=UTC), Partition("t", 0)
COMMAND = Command(
    command_id="c-1", group="g", action="release", by="ann", reason="reset", expires_at=NOW + timedelta(minutes=5)
)


@pytest.mark.parametrize(
    ("action", "valve"), [("pause", Valve.PAUSED), ("release", Valve.RELEASED), ("resume", Valve.OPEN)]
)
def test_each_action_has_its_valve_until_it_expires(action: str, valve: Valve) -> None:
    command = replace(COMMAND, action=action)
    assert valve_for(command, now=NOW) is valve
    assert valve_for(command, now=command.expires_at) is Valve.OPEN
    assert valve_for(None, now=NOW) is Valve.OPEN


def test_commands_and_answers_are_read_as_they_were_written() -> None:
    assert read_command(command_value(COMMAND)) == COMMAND
    answer = Answer(command_id="c-1", group="g", member="m", state="done", at=NOW.isoformat())
    assert read_answer(answer_value(answer)) == answer
    assert read_command(answer_value(answer)) is None
    assert read_answer(command_value(COMMAND)) is None


def test_names_and_reasons_can_be_read_in_the_topic() -> None:
    assert "Jürgen".encode() in command_value(replace(COMMAND, by="Jürgen"))
    answer = Answer(command_id="c-1", group="g", member="m", state="failed", at=NOW.isoformat(), detail="não")
    assert "não".encode() in answer_value(answer)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"expires_at":' + b"[" * 900 + b"]" * 900 + b"}",
        command_value(COMMAND).replace(b'"release"', b"[" * 900 + b"]" * 900),
        command_value(COMMAND).replace(b"release", b"explode"),
    ],
)
def test_what_is_no_command_is_none_and_ends_nobody(value: bytes | None) -> None:
    assert read_command(value) is None
    assert read_answer(value) is None


class Orders:
    """A way for a test to give commands."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def values(self) -> AsyncIterator[bytes | None]:
        while True:
            yield await self.queue.get()


class Mute(MemoryProducer):
    """A producer whose principal may not write the control topic."""

    def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
        assert record.topic == TOPIC
        done(Delivery(None, -1, Fault("TOPIC_AUTHORIZATION_FAILED", "Broker: no right to write.", FaultKind.HELD)))


async def test_a_missing_right_to_hear_commands_or_to_answer_them_is_told_of_each_group() -> None:
    seen, orders = list[object](), Orders()
    obedience = Obedience(
        {"g": GroupValve(), "h": GroupValve()},
        producer=Mute(MemoryBroker(partitions=1)),
        member="m",
        now=lambda: NOW,
        hooks=Hooks([seen.append]),
    )
    obedience.refused(Fault("TOPIC_AUTHORIZATION_FAILED", "Broker: no right to read.", FaultKind.HELD))
    deaf = "Broker: no right to read. Operators' commands are not heard."
    assert seen == [RightMissing(group="g", fault=deaf), RightMissing(group="h", fault=deaf)]
    obeying = asyncio.create_task(obedience.run(orders.values()))
    orders.queue.put_nowait(command_value(replace(COMMAND, group="h")))
    await until(lambda: len(seen) >= 3)
    obeying.cancel()
    await asyncio.wait({obeying})
    mute = "Broker: no right to write. Commands are obeyed without an answer."
    assert seen[2] == RightMissing(group="h", fault=mute)


async def test_a_released_member_leaves_and_comes_back_a_paused_one_stays_and_fetches_nothing() -> None:
    broker, valve, orders = MemoryBroker(partitions=1), GroupValve(), Orders()
    producer, joined = MemoryProducer(broker), 0
    read: list[bytes | None] = []
    obedience = Obedience({"g": valve}, producer=producer, member="m", now=lambda: NOW)

    async def consume() -> None:
        nonlocal joined
        while True:
            source = valve.connect(lambda: MemorySource(broker, group="g", topics=["t"]))
            async for event in source.events():
                if isinstance(event, Assigned) and event.partitions:
                    joined += 1
                elif isinstance(event, Records):
                    read.extend(record.value for record in event.records)
                elif hasattr(event, "done"):
                    event.done({})

    def states() -> list[tuple[str, str]]:
        told = (read_answer(record.value) for record in broker.records(TOPIC))
        return [(answer.command_id, answer.state) for answer in told if answer is not None]

    async def order(action: str) -> None:
        orders.queue.put_nowait(command_value(replace(COMMAND, command_id=action, action=action)))
        await until(lambda: (action, "done") in states())

    def send(value: bytes) -> None:
        producer.produce(Outgoing(topic="t", key=b"k", value=value), lambda _: None)

    tasks = [asyncio.create_task(consume()), asyncio.create_task(obedience.run(orders.values()))]
    try:
        send(b"1")
        await until(lambda: read == [b"1"])
        orders.queue.put_nowait(b"no command")
        await order("release")
        assert joined == 1
        await order("resume")
        await until(lambda: joined == 2)
        await order("pause")
        send(b"2")
        orders.queue.put_nowait(command_value(replace(COMMAND, group="other")))
        assert b"2" not in read
        orders.queue.put_nowait(command_value(replace(COMMAND, command_id="again", action="resume")))
        await until(lambda: b"2" in read)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert [state for command, state in states() if command == "release"] == ["accepted", "done"]


class Returning:
    """A partition that leaves and comes back."""

    def __init__(self) -> None:
        self.resumed = list[set[Partition]]()

    async def events(self) -> AsyncIterator[SourceEvent]:
        """Comes, leaves, comes."""
        yield Assigned(frozenset({HOME}), {})
        yield Revoking(frozenset({HOME}), lambda _: None)
        yield Assigned(frozenset({HOME}), {})
        await asyncio.Event().wait()

    def pause(self, _partitions: Iterable[Partition]) -> None:
        """Asked of the client."""

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Is noted."""
        self.resumed.append(set(partitions))


async def test_a_partition_that_left_and_came_back_is_read_again_after_a_pause() -> None:
    inner, valve, seen = Returning(), GroupValve(), list[SourceEvent]()
    source = valve.connect(lambda: cast("Any", inner))

    async def consume() -> None:
        async for event in source.events():
            seen.append(event)
            if isinstance(event, Revoking):
                source.pause(event.partitions)  # as a consumer does with what leaves

    consuming = asyncio.create_task(consume())
    await until(lambda: len(seen) == 3)
    await valve.turn(Valve.PAUSED)
    await valve.turn(Valve.OPEN)
    consuming.cancel()
    await asyncio.wait({consuming})
    assert inner.resumed == [{HOME}]
