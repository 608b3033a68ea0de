"""Reads the topic of operators' commands from its start, for ever: assign-only, in a thread of its own, without a group."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

from confluent_kafka import Consumer, KafkaException, TopicPartition

from treaty_runtime.kafka.config import Config

_POLL_SECONDS = 0.5


class KafkaControlReader:
    """Values of one partition, in order. A topic that is not there yet is waited for."""

    def __init__(self, config: Config, *, topic: str) -> None:
        # A topic that is made later is found within ten seconds, as the one who gives a command waits no longer.
        ours = {
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "topic.metadata.refresh.interval.ms": 2_000,
        }
        self._config, self._topic = config | ours, topic
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None

    async def values(self) -> AsyncIterator[bytes | None]:
        """What lies in the topic, then what comes; ends when closed."""
        arrived: asyncio.Queue[bytes | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, args=(loop, arrived), name="treaty-control", daemon=True)
        self._thread.start()
        try:
            while True:
                yield await arrived.get()
        finally:
            self._is_closed.set()

    def _run(self, loop: asyncio.AbstractEventLoop, arrived: asyncio.Queue[bytes | None]) -> None:
        consumer = Consumer(self._config)
        try:
            consumer.assign([TopicPartition(self._topic, 0, 0)])
            while not self._is_closed.is_set():
                with suppress(KafkaException):
                    message = consumer.poll(_POLL_SECONDS)
                    if message is not None and message.error() is None:
                        loop.call_soon_threadsafe(arrived.put_nowait, message.value())
        except RuntimeError:
            return  # the loop has ended
        finally:
            consumer.close()
