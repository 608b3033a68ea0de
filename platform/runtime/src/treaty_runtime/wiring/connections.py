"""Where producers and members of groups come from: a Kafka cluster, or a broker in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from treaty_runtime.clock import EPOCH
from treaty_runtime.control import TOPIC
from treaty_runtime.event import Partition, Record
from treaty_runtime.handlers import Group
from treaty_runtime.kafka import KafkaFence, KafkaProducer, KafkaSource
from treaty_runtime.kafka.bounds import KafkaBounds
from treaty_runtime.kafka.config import consumer_config, producer_config, relay_config
from treaty_runtime.kafka.control_reader import KafkaControlReader
from treaty_runtime.seek import Seek, Span, target
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import Fault, Fence, FenceKind, LeaseFence, Producer, Source
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer, MemorySource

PUBLISHING = timedelta(minutes=2)
"""How long the client tries to deliver what a service publishes itself."""


class Connections(Protocol):
    """Opens clients of one cluster; nothing is connected before their first use."""

    def producer(self, *, delivery_timeout: timedelta) -> Producer:
        """A new producer."""

    def fence(self, kind: FenceKind, *, service: str) -> Fence:
        """The producers of a relay's lanes."""

    def source(self, group: Group) -> Source:
        """A new member of the group, subscribed to its topics and retry topics."""

    def bounds(self) -> Bounds:
        """What reads records of the past."""

    def commands(self, refused: Callable[[Fault], None]) -> AsyncIterator[bytes | None]:
        """What operators tell running groups, for ever: values of the control topic from its start.

        ``refused`` hears which right is missing for that.
        """


class Bounds(Protocol):
    """Finds and reads what lies between two places of topics."""

    async def spans(self, topics: Sequence[str], *, start: Seek, end: Seek) -> dict[Partition, Span]:
        """What lies between two places, in each partition."""

    def read(self, spans: Mapping[Partition, Span]) -> AsyncIterator[Sequence[Record]]:
        """The records of the spans, some at a time."""

    def close(self) -> None:
        """Ends the connections."""


class KafkaConnections:
    """Clients of a Kafka cluster."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def producer(self, *, delivery_timeout: timedelta) -> Producer:
        """A producer with threads of its own."""
        return KafkaProducer(producer_config(self._settings, delivery_timeout=delivery_timeout))

    def fence(self, kind: FenceKind, *, service: str) -> Fence:
        """By transactions, or one producer that never gives a record up."""
        if kind == "transaction":
            return KafkaFence(self._settings, service=service)
        return LeaseFence(KafkaProducer(relay_config(self._settings)))

    def source(self, group: Group) -> Source:
        """A consumer with a thread of its own."""
        config = consumer_config(self._settings, group=group.name)
        return KafkaSource(config, topics=group.subscription, drain=group.drain)

    def bounds(self) -> Bounds:
        """A client that joins no group."""
        return KafkaBounds(self._settings)

    def commands(self, refused: Callable[[Fault], None]) -> AsyncIterator[bytes | None]:
        """A reader with a thread of its own, which joins no group."""
        config = consumer_config(self._settings, group="treaty-control")
        return KafkaControlReader(config, topic=TOPIC, refused=refused).values()


class MemoryBounds:
    """The same for a broker in memory."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def spans(self, topics: Sequence[str], *, start: Seek, end: Seek) -> dict[Partition, Span]:
        """What lies between two places, in each partition."""
        held: dict[Partition, list[Record]] = {}
        for topic in topics:
            for record in self._broker.records(topic):
                held.setdefault(record.place.of, []).append(record)
        return {
            partition: (self._target(start, records), self._target(end, records)) for partition, records in held.items()
        }

    async def read(self, spans: Mapping[Partition, Span]) -> AsyncIterator[Sequence[Record]]:
        """The records of the spans, all at once."""
        topics = sorted({partition.topic for partition in spans})
        every = [record for topic in topics for record in self._broker.records(topic)]
        yield [each for each in every if spans[each.place.of][0] <= each.place.offset < spans[each.place.of][1]]

    def close(self) -> None:
        """Nothing to end."""

    @staticmethod
    def _target(seek: Seek, records: Sequence[Record]) -> int:
        span = (records[0].place.offset, records[-1].place.offset + 1)
        when = 0 if seek.at is None else (seek.at - EPOCH) // timedelta(milliseconds=1)
        newer = next((each.place.offset for each in records if each.timestamp_ms >= when), None)
        found = target(seek, span, committed=None, at_time=newer)
        return span[0] if found is None else found


class MemoryConnections:
    """Clients of a broker in memory."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def producer(self, *, delivery_timeout: timedelta) -> Producer:  # noqa: ARG002  # in memory nothing expires
        """A producer into the broker."""
        return MemoryProducer(self._broker)

    def fence(self, kind: FenceKind, *, service: str) -> Fence:  # noqa: ARG002  # in memory there are no transactions
        """The lease alone."""
        return LeaseFence(MemoryProducer(self._broker))

    def source(self, group: Group) -> Source:
        """A member of the broker's group."""
        return MemorySource(self._broker, group=group.name, topics=group.subscription, drain=group.drain)

    def bounds(self) -> Bounds:
        """What the broker holds."""
        return MemoryBounds(self._broker)

    async def commands(self, refused: Callable[[Fault], None]) -> AsyncIterator[bytes | None]:  # noqa: ARG002  # nor refuses
        """Nobody commands in memory."""
        await asyncio.Event().wait()
        yield None
