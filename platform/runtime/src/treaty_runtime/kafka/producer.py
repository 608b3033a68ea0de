"""The producer: records go out on the event loop, a thread brings the broker's answers back in batches."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as Client

from treaty_runtime.errors import QueueFull
from treaty_runtime.event import Place
from treaty_runtime.kafka.config import Config
from treaty_runtime.kafka.faults import fault_of
from treaty_runtime.transport import Delivery, Fault, Outgoing

_POLL_SECONDS = 0.1
_ROOM = 0.8


class KafkaProducer:
    """Produces on the event loop that calls it first; a thread turns librdkafka's callbacks into batches of answers."""

    def __init__(self, config: Config) -> None:
        self._config = {**config, "error_cb": self._noticed}
        self._client = Client(self._config)
        self._capacity = int(config.get("queue.buffering.max.messages", 100_000))
        self._answers: list[tuple[Callable[[Delivery], None], KafkaError | None, Any]] = []
        self._pending = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._settled: asyncio.Event = asyncio.Event()
        self._is_closing = False
        self._is_fatal = False
        self.last_fault: Fault | None = None

    def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
        """Queues a record without blocking; ``QueueFull`` if there is no room. Refusals reach ``done`` too."""
        loop = self._loop or self._start()
        options: dict[str, Any] = {}
        if record.partition is not None:
            options["partition"] = record.partition
        if record.timestamp_ms is not None:
            options["timestamp"] = record.timestamp_ms
        try:
            self._client.produce(
                record.topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers),
                on_delivery=partial(self._answered, done),
                **options,
            )
        except BufferError:
            raise QueueFull from None
        except KafkaException as failure:
            loop.call_soon(done, Delivery(None, -1, fault_of(failure.args[0])))
            return
        self._pending += 1

    async def room(self) -> None:
        """Waits until the queue is less than four fifths full."""
        while self._pending >= self._capacity * _ROOM:
            self._settled.clear()
            await self._settled.wait()

    async def flush(self, within: timedelta) -> int:
        """Waits for all answers; answers how many are still missing after that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                while self._pending:
                    self._settled.clear()
                    await self._settled.wait()
        return self._pending

    def purge(self) -> None:
        """Drops what is queued but not yet on the wire; each dropped record gets a fault."""
        self._client.purge(in_queue=True, in_flight=False, blocking=False)

    async def close(self) -> None:
        """Drops what is queued, gives each such record its fault and ends the thread."""
        self._is_closing = True
        self._client.purge(in_queue=True, in_flight=True, blocking=False)
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _start(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._turn, name="treaty-producer", daemon=True)
        self._thread.start()
        return self._loop

    def _answered(self, done: Callable[[Delivery], None], error: KafkaError | None, message: Any) -> None:
        # On the thread, inside poll. An exception here would leave by poll: nothing but an append.
        self._answers.append((done, error, message))

    def _noticed(self, error: KafkaError) -> None:
        self.last_fault = fault_of(error)
        if error.fatal():
            self._is_fatal = True

    def _turn(self) -> None:
        while not self._is_closing:
            self._client.poll(_POLL_SECONDS)
            self._hand_over()
            if self._is_fatal:
                self._renew()
        self._client.flush(_POLL_SECONDS)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._answers and self._loop is not None:
            answers, self._answers = self._answers, []
            with suppress(RuntimeError):  # the loop is gone: nobody waits any more
                self._loop.call_soon_threadsafe(self._settle, answers)

    def _renew(self) -> None:
        """After a fatal error only a new client can produce; what the old one still held fails as retriable."""
        self._is_fatal = False
        old, self._client = self._client, Client(self._config)
        old.purge(in_queue=True, in_flight=True, blocking=False)
        old.flush(_POLL_SECONDS)
        self._answers = [(done, error and _retriable(error), message) for done, error, message in self._answers]
        self._hand_over()

    def _settle(self, answers: list[tuple[Callable[[Delivery], None], KafkaError | None, Any]]) -> None:
        self._pending -= len(answers)
        for done, error, message in answers:
            done(_delivery(error, message))
        self._settled.set()


def _retriable(error: KafkaError) -> KafkaError:
    return KafkaError(KafkaError._TRANSPORT, str(error.str()))  # noqa: SLF001  # librdkafka's local codes are named so


def _delivery(error: KafkaError | None, message: Any) -> Delivery:
    if error is not None:
        return Delivery(None, -1, fault_of(error))
    return Delivery(Place(message.topic(), message.partition(), message.offset()), message.timestamp()[1])
