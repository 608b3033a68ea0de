"""Commands of operators as a member reads them, and a member that leaves although its client hangs."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException

from tests.parts.waiting import eventually
from treaty_runtime.errors import InvalidSettings, Outage
from treaty_runtime.event import Partition
from treaty_runtime.kafka import KafkaProducer, KafkaSource, control_reader
from treaty_runtime.kafka import source as reading
from treaty_runtime.kafka.config import consumer_config, producer_config
from treaty_runtime.kafka.control_reader import KafkaControlReader
from treaty_runtime.kafka.standing import Standing
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import Broken, Delivery, Outgoing, Position

TOPIC = "commands"


class Asking(KafkaControlReader):
    """Says when it knows where the past ends."""

    def __init__(self, settings: KafkaSettings) -> None:
        super().__init__(consumer_config(settings, group="c"), topic=TOPIC)
        self.has_asked = threading.Event()

    def _end(self, consumer: Consumer) -> int:
        end = super()._end(consumer)
        self.has_asked.set()
        return end


async def said(producer: KafkaProducer, *pairs: tuple[str, str]) -> None:
    answers: list[Delivery] = []
    for key, value in pairs:
        producer.produce(Outgoing(topic=TOPIC, key=key.encode(), value=value.encode()), answers.append)
    await eventually(lambda: len(answers) == len(pairs))
    assert all(answer.fault is None for answer in answers)


@pytest.mark.parametrize("is_there", [True, False])
async def test_of_the_past_only_the_newest_command_of_each_group_is_told(*, is_there: bool) -> None:
    with Chaos() as chaos:
        settings = KafkaSettings(brokers=chaos.bootstrap)
        producer = KafkaProducer(producer_config(settings, delivery_timeout=timedelta(seconds=30)))
        past = (
            [("g", "pause"), ("h", "pause"), ("g", "release"), ("g/member", "done"), ("g", "resume")]
            if is_there
            else []
        )
        if is_there:
            chaos.topic(TOPIC, partitions=1)
            await said(producer, *past)
        reader, told = Asking(settings), list[bytes | None]()

        async def read() -> None:
            async for value in reader.values():
                told.append(value)

        reading_commands = asyncio.create_task(read())
        if is_there:
            await eventually(lambda: len(told) >= 3)
        else:
            await eventually(reader.has_asked.is_set)  # what is said sooner is past too
            chaos.topic(TOPIC, partitions=1)
        await said(producer, ("g", "pause"), ("g", "resume"))
        await eventually(lambda: told[-1:] == [b"resume"] and told[-2:-1] == [b"pause"])
        reading_commands.cancel()
        await asyncio.gather(reading_commands, return_exceptions=True)
        await producer.close()
        assert told == [*([b"pause", b"done", b"resume"] if is_there else []), b"pause", b"resume"]


async def test_a_broker_that_takes_its_time_is_no_end_of_the_past() -> None:
    """Each command is a fetch of its own here, and between two of them a poll finds nothing."""
    with Chaos() as chaos:
        settings = KafkaSettings(brokers=chaos.bootstrap)
        producer = KafkaProducer(producer_config(settings, delivery_timeout=timedelta(seconds=30)))
        chaos.topic(TOPIC, partitions=1)
        for word in ("release", "resume", "pause"):
            await said(producer, ("g", word.ljust(300_000)))
        chaos.rtt(700)
        small = replace(settings, extra={"fetch.message.max.bytes": 1_000, "queued.min.messages": 1})
        values = KafkaControlReader(consumer_config(small, group="c"), topic=TOPIC).values()
        async with asyncio.timeout(60):
            assert (await anext(values) or b"").strip() == b"pause"
        await values.aclose()
        chaos.rtt(0)
        await producer.close()


async def test_settings_that_are_none_are_told_to_who_reads() -> None:
    settings = consumer_config(KafkaSettings(extra={"consumer.no.such.property": "1"}), group="c")
    with pytest.raises(InvalidSettings, match=r"no\.such\.property"):
        await anext(KafkaControlReader(settings, topic=TOPIC).values())


async def test_commands_are_told_although_what_lay_behind_them_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KafkaControlReader, "_end", lambda _reader, _consumer: 100)
    with Chaos() as chaos:
        settings = KafkaSettings(brokers=chaos.bootstrap)
        producer = KafkaProducer(producer_config(settings, delivery_timeout=timedelta(seconds=30)))
        chaos.topic(TOPIC, partitions=1)
        await said(producer, ("g", "pause"), ("g", "resume"))
        values = KafkaControlReader(consumer_config(settings, group="c"), topic=TOPIC).values()
        async with asyncio.timeout(60):
            assert [await anext(values)] == [b"resume"]
        await values.aclose()
        await producer.close()


@pytest.mark.parametrize("is_known", [True, False], ids=["while it reads", "before it reads"])
async def test_a_client_that_gets_nowhere_is_replaced_and_the_newest_command_is_told_again(
    monkeypatch: pytest.MonkeyPatch, *, is_known: bool
) -> None:
    """A broker that was fenced tells that there are no brokers, and the client may never connect again."""
    made: list[Consumer] = []

    def connect(config: dict[str, object]) -> Consumer:
        if made and len(made) < 3:
            made.append(made[0])
            raise KafkaException(KafkaError(KafkaError._SSL))  # a certificate is just being exchanged
        made.append(Consumer(config))
        return made[-1]

    monkeypatch.setattr(control_reader, "Consumer", connect)
    monkeypatch.setattr(control_reader, "EVERY_MS", 100)
    monkeypatch.setattr(control_reader, "_END_SECONDS", 0.2)
    monkeypatch.setattr(control_reader, "Standing", partial(Standing, patience=0.3))
    with Chaos() as chaos:
        settings = KafkaSettings(brokers=chaos.bootstrap)
        producer = KafkaProducer(producer_config(settings, delivery_timeout=timedelta(seconds=30)))
        chaos.topic(TOPIC, partitions=1)
        await said(producer, ("g", "pause"))
        values = KafkaControlReader(consumer_config(settings, group="c"), topic=TOPIC).values()
        if is_known:
            assert await anext(values) == b"pause"
        with chaos.down():
            following = asyncio.ensure_future(anext(values))
            await eventually(lambda: len(made) >= 4)
        assert await asyncio.wait_for(following, 60) == b"pause"
        await values.aclose()
        await producer.close()


class Hanging:
    """A client whose close never returns."""

    may_end = threading.Event()

    def __init__(self, _config: object) -> None: ...

    def subscribe(self, *_: object, **__: object) -> None:
        """Nothing is assigned."""

    def consume(self, _count: int, seconds: float) -> list[object]:
        """Nothing comes."""
        threading.Event().wait(seconds)
        return []

    def close(self) -> None:
        """Until the test is over."""
        self.may_end.wait()


async def test_a_client_that_hangs_as_it_leaves_keeps_neither_the_group_nor_the_executor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "Consumer", Hanging)
    monkeypatch.setattr(reading, "_LEAVING_SECONDS", -14.9)  # with what the drain is given, a tenth of a second
    source = KafkaSource({}, topics=["t"])
    told: list[object] = []

    async def read() -> None:
        told.extend([event async for event in source.events()])

    reads = asyncio.create_task(read())
    await eventually(lambda: source._thread is not None)
    try:
        await source.close()
        await reads
        with pytest.raises(Outage):
            await source.commit({Partition("t", 0): Position(1)})
    finally:
        Hanging.may_end.set()
    (broken,) = told
    assert isinstance(broken, Broken)
    assert broken.fault.text == "The client did not leave its group in time and was given up."
