"""The producer: records go out and the broker's answers come in on the event loop; librdkafka's own threads do the sending.

No thread of ours. librdkafka would take the interpreter's lock for each single answer, and a busy loop gives it away every five
milliseconds. So the loop asks for answers itself: soon after producing, and ever less often while none come.
"""

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
from treaty_runtime.kafka.config import NOT_BLOCKING, Config
from treaty_runtime.kafka.faults import fault_of, invalid_settings
from treaty_runtime.kafka.standing import EVERY_MS, Standing
from treaty_runtime.transport import Delivery, Fault, FaultKind, Outgoing

_SOON, _SELDOM, _IDLE = 0.001, 0.05, 1.0
"""Seconds between two questions: after an answer or a new record; at most while records are out; with nothing out."""
_ROOM = 0.8
_CLOSING_SECONDS, _RENEWAL_SECONDS = 0.5, 1.0
_PATIENCE_SECONDS = 30.0
"""As long as a caller waits for an answer: until then the client may still send what it holds."""
_ANY_PARTITION, _NOW = -1, 0  # as librdkafka understands them
_NO_BROKERS = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001  # librdkafka's local codes are named so
_CLOSED = Fault("_DESTROY", "The producer is closed.", FaultKind.FENCED)
_HUGE = Fault(
    "_QUEUE_FULL", "The record is larger than the whole queue: raise queue.buffering.max.kbytes.", FaultKind.REFUSED
)

Answer = tuple[Callable[[Delivery], None], KafkaError | None, Any]


class KafkaProducer:
    """Produces on the event loop that opens it.

    A client is there only while the loop asks it: statistics and errors that nobody takes lie in it for ever.

    A client that failed for good, or found no broker for ``patience`` seconds, is replaced; what it held fails as retriable.
    """

    def __init__(self, config: Config, *, patience: float = _PATIENCE_SECONDS) -> None:
        callbacks = {"error_cb": self._noticed, "stats_cb": self._measured}
        self._config = {"statistics.interval.ms": EVERY_MS, **config, **callbacks}
        self._patience = patience
        self._standing = Standing(patience=patience)
        self._client: Any = None
        self._capacity = int(config.get("queue.buffering.max.messages", 100_000))
        self._capacity_bytes = int(config.get("queue.buffering.max.kbytes", 1 << 20)) << 10
        self._answers: list[Answer] = []
        self._pending, self._is_full = 0, False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pause = _IDLE
        self._settled: asyncio.Event = asyncio.Event()
        self._is_closing = False
        self._is_useless, self._renew_at = False, 0.0
        self.is_replaced = False
        """Whether the client is a new one that has not found a broker yet."""
        self._last_error: KafkaError | None = None

    def open(self) -> None:
        """Connects, and hears what the broker says from now on; the first record does it too. InvalidSettings for those that are none."""
        if self._loop is None and not self._is_closing:
            self._start()

    def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
        """Queues a record without blocking; ``QueueFull`` if there is no room. Refusals reach ``done`` too."""
        if self._is_closing:
            asyncio.get_running_loop().call_soon(done, Delivery(None, -1, _CLOSED))
            return
        loop = self._loop or self._start()
        if loop is not asyncio.get_running_loop():
            raise RuntimeError(
                "This producer belongs to another event loop: publish from there, or make one for this loop."
            )
        try:
            self._client.produce(
                record.topic,
                value=record.value,
                key=record.key,
                partition=record.partition if record.partition is not None else _ANY_PARTITION,
                timestamp=record.timestamp_ms or _NOW,
                headers=list(record.headers),
                on_delivery=partial(self._answered, done),
            )
        except BufferError:
            if len(record.value or b"") + len(record.key or b"") > self._capacity_bytes:
                loop.call_soon(done, Delivery(None, -1, _HUGE))
                return
            self._is_full = True
            raise QueueFull from None
        except KafkaException as failure:
            loop.call_soon(done, Delivery(None, -1, fault_of(failure.args[0])))
            return
        self._pending += 1
        if self._pause > _SOON:
            self._ask_again(_SOON)

    async def room(self) -> None:
        """Waits until less than four fifths of the records are queued, and after ``QueueFull`` until one was answered: bytes count too."""
        if self._is_full and not self._pending:
            self._is_full = False  # whoever tries again must not keep the loop from going on
            await asyncio.sleep(_SOON)
        while self._pending and (self._is_full or self._pending >= self._capacity * _ROOM):
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
        if self._client is not None:
            self._client.purge(in_queue=True, in_flight=False, blocking=NOT_BLOCKING)
            self._ask_again(_SOON)

    async def close(self) -> None:
        """Drops what is queued and gives each such record its fault."""
        self._is_closing = True
        if self._client is None:
            return
        self._client.purge(in_queue=True, in_flight=True, blocking=NOT_BLOCKING)
        self._ask_again(_SOON)
        await self.flush(timedelta(seconds=_CLOSING_SECONDS))
        if self._timer is not None:
            self._timer.cancel()
        self._end_client()

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        try:
            self._client, self._loop = Client(self._config), loop
        except KafkaException as failure:
            raise invalid_settings(failure) from failure
        self._ask_again(_SOON)
        return loop

    def _ask_again(self, pause: float) -> None:
        assert self._loop is not None  # noqa: S101  # set as it was opened
        if self._timer is not None:
            self._timer.cancel()
        self._pause = pause
        self._timer = self._loop.call_later(pause, self._turn)

    def _turn(self) -> None:
        pause = _SELDOM
        try:
            pause = self._looked()
        finally:  # whatever a callback raised: nobody else asks again
            self._ask_again(pause if self._pending else _IDLE)

    def _looked(self) -> float:
        """Takes what the client says; answers when to ask again, in seconds, while records are out."""
        try:
            self._client.poll(0)
        except KafkaException as failure:  # so it tells of a fatal error, which is no callback's
            self._noticed(failure.args[0])
        now = asyncio.get_running_loop().time()
        if self._is_useless and now >= self._renew_at:
            self._renew_at = now + _RENEWAL_SECONDS
            self._renew()
        if not self._answers:
            return min(self._pause * 2, _SELDOM)
        self._settle()
        return _SOON

    def _answered(self, done: Callable[[Delivery], None], error: KafkaError | None, message: Any) -> None:
        # Inside poll, which an exception would end: nothing but an append.
        self._answers.append((done, error, message))

    def _noticed(self, error: KafkaError) -> None:
        if error.code() != _NO_BROKERS:  # it says that there is none, the one before says why
            self._last_error = error
        if error.fatal():
            self._is_useless = True

    def _measured(self, statistics: str) -> None:
        monotonic = asyncio.get_running_loop().time()
        self._is_useless |= self._standing.is_stuck(statistics, now=monotonic, needs_partitions=False)
        self.is_replaced = self.is_replaced and not self._standing.has_broker

    def _renew(self) -> None:
        """Only a new client can produce; what the old one still held fails as retriable."""
        try:
            new = Client(self._config)
        except KafkaException as failure:
            # A file of the settings is not there at the moment: a later turn tries again.
            self._noticed(failure.args[0])
            return
        self._is_useless, self.is_replaced = False, True
        self._standing = Standing(patience=self._patience)
        self._client.purge(in_queue=True, in_flight=True, blocking=NOT_BLOCKING)
        for _ in range(2):  # only answers what was purged; a further fatal error is raised once
            with suppress(KafkaException):
                self._client.flush(_CLOSING_SECONDS)
        why = self._last_error
        self._answers = [(done, error and _retriable(why or error), message) for done, error, message in self._answers]
        self._end_client()
        self._client = new

    def _end_client(self) -> None:
        olds, self._client = [self._client], None
        # Its end waits for its threads, and those perhaps for a name to be resolved: neither the executor nor the process waits with them.
        threading.Thread(target=olds.clear, name="treaty-producer-end", daemon=True).start()

    def _settle(self) -> None:
        answers, self._answers = self._answers, []
        self._pending -= len(answers)
        self._is_full = False
        for done, error, message in answers:
            try:
                done(_delivery(error, message))
            except Exception as failure:  # noqa: BLE001  # a bug of one caller must not keep the others from their answers
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "A delivery callback raised.", "exception": failure}
                )
        self._settled.set()


def _retriable(error: KafkaError) -> KafkaError:
    return KafkaError(KafkaError._TRANSPORT, str(error.str()))  # noqa: SLF001  # librdkafka's local codes are named so


def _delivery(error: KafkaError | None, message: Any) -> Delivery:
    if error is not None:
        return Delivery(None, -1, fault_of(error))
    place = message.topic(), message.partition(), message.offset()
    return Delivery(_new(Place, place), message.timestamp()[1])  # for each record: half of what Place(...) costs


_new: Any = tuple.__new__
