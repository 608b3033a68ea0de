"""Where producers and members of groups come from: a Kafka cluster, or a broker in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

from treaty_runtime.control import TOPIC
from treaty_runtime.handlers import Group
from treaty_runtime.kafka import KafkaProducer, KafkaSource
from treaty_runtime.kafka.config import consumer_config, producer_config
from treaty_runtime.kafka.control_reader import KafkaControlReader
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import Producer, Source
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer, MemorySource

PUBLISHING = timedelta(minutes=2)
FOR_EVER = timedelta(0)
"""The relay's delivery time-out: a record that expired would be overtaken by later ones of its key."""


class Connections(Protocol):
    """Opens clients of one cluster; nothing is connected before their first use."""

    def producer(self, *, delivery_timeout: timedelta) -> Producer:
        """A new producer; time-out zero: it never gives a record up."""

    def source(self, group: Group) -> Source:
        """A new member of the group, subscribed to its topics and retry topics."""

    def commands(self) -> AsyncIterator[bytes | None]:
        """What operators tell running groups, for ever: values of the control topic from its start."""


class KafkaConnections:
    """Clients of a Kafka cluster."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def producer(self, *, delivery_timeout: timedelta) -> Producer:
        """A producer with threads of its own."""
        return KafkaProducer(producer_config(self._settings, delivery_timeout=delivery_timeout))

    def source(self, group: Group) -> Source:
        """A consumer with a thread of its own."""
        config = consumer_config(self._settings, group=group.name)
        return KafkaSource(config, topics=group.subscription, drain=group.drain)

    def commands(self) -> AsyncIterator[bytes | None]:
        """A reader with a thread of its own, which joins no group."""
        return KafkaControlReader(consumer_config(self._settings, group="treaty-control"), topic=TOPIC).values()


class MemoryConnections:
    """Clients of a broker in memory."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def producer(self, *, delivery_timeout: timedelta) -> Producer:  # noqa: ARG002  # in memory nothing expires
        """A producer into the broker."""
        return MemoryProducer(self._broker)

    def source(self, group: Group) -> Source:
        """A member of the broker's group."""
        return MemorySource(self._broker, group=group.name, topics=group.subscription)

    async def commands(self) -> AsyncIterator[bytes | None]:
        """Nobody commands in memory."""
        await asyncio.Event().wait()
        yield None
