"""Reads the topic of operators' commands from its start, for ever: assign-only, in a thread of its own, without a group.

Of what lay there before, only the newest value of each key is told: who starts late shall not obey one old command after the other.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from time import monotonic

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from treaty_runtime.kafka.config import Config
from treaty_runtime.kafka.faults import invalid_settings, is_missing_right, missing_right
from treaty_runtime.kafka.standing import EVERY_MS, Standing
from treaty_runtime.transport import Fault

_POLL_SECONDS, _END_SECONDS = 0.5, 5.0
_NOT_THERE = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}  # noqa: SLF001  # librdkafka's local codes are named so
_END: int = KafkaError._PARTITION_EOF  # noqa: SLF001  # as above


class KafkaControlReader:
    """Values of one partition, in order. A topic that is not there yet is waited for.

    ``refused`` hears in the loop which right each client lacks.
    """

    def __init__(self, config: Config, *, topic: str, refused: Callable[[Fault], None] = lambda _: None) -> None:
        # A topic that is made later is found within ten seconds, as the one who gives a command waits no longer.
        ours = {
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "topic.metadata.refresh.interval.ms": 2_000,
        }
        self._config, self._topic, self._refused = config | ours, topic, refused
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None

    async def values(self) -> AsyncGenerator[bytes | None, None]:
        """The newest of each key that lies in the topic, then what comes; ends when closed. InvalidSettings as of other clients.

        A client that gets nowhere any more is replaced, and the newest of each key is told again.
        """
        arrived: asyncio.Queue[bytes | None] = asyncio.Queue()
        try:
            work = self._connect(), asyncio.get_running_loop(), arrived
        except KafkaException as failure:
            raise invalid_settings(failure) from failure
        self._thread = threading.Thread(target=self._run, args=work, name="treaty-control", daemon=True)
        self._thread.start()
        try:
            while True:
                yield await arrived.get()
        finally:
            self._is_closed.set()

    def _connect(self) -> Consumer:
        self._standing, self._is_stuck = Standing(), False
        return Consumer({"statistics.interval.ms": EVERY_MS, **self._config, "stats_cb": self._measured})

    def _measured(self, statistics: str) -> None:
        self._is_stuck = self._standing.is_stuck(statistics, now=monotonic(), needs_partitions=False)

    def _run(self, consumer: Consumer, loop: asyncio.AbstractEventLoop, arrived: asyncio.Queue[bytes | None]) -> None:
        def tell(value: bytes | None) -> None:
            loop.call_soon_threadsafe(arrived.put_nowait, value)

        def refuse(fault: Fault) -> None:
            loop.call_soon_threadsafe(self._refused, fault)

        following: Consumer | None = consumer
        while following is not None:
            try:
                self._follow(following, tell, refuse)
            except KafkaException:
                pass  # it failed for good
            except RuntimeError:
                return  # the loop has ended
            finally:
                following.close()
            following = self._another()

    def _another(self) -> Consumer | None:
        """A client in place of one that gets nowhere; None once closed."""
        while not self._is_closed.wait(_POLL_SECONDS):
            with suppress(KafkaException):  # a certificate is just being exchanged
                return self._connect()
        return None

    def _follow(
        self, consumer: Consumer, tell: Callable[[bytes | None], None], refuse: Callable[[Fault], None]
    ) -> None:
        """Tells what comes until closed, or until the client gets nowhere; raises what it fails with for good."""
        end = self._end(consumer)
        if not end and (refusal := self._refusal(consumer)) is not None:
            refuse(refusal)
        consumer.assign([TopicPartition(self._topic, 0, 0)])
        newest: dict[bytes | None, bytes | None] = {}
        while not self._is_closed.is_set() and not self._is_stuck:
            message = consumer.poll(_POLL_SECONDS)
            if message is None:
                continue
            error = message.error()
            if error is None:
                newest.pop(message.key(), None)  # in the order in which they were said last
                newest[message.key()] = message.value()
            elif error.code() == _END:
                end = 0  # what lay there last may have been compacted away
            if (message.offset() or 0) >= end - 1:
                for value in newest.values():
                    tell(value)
                newest.clear()

    def _refusal(self, consumer: Consumer) -> Fault | None:
        """Which right is missing: a topic that it may not see looks to a client as if it were not there."""
        with suppress(KafkaException, KeyError):
            error = consumer.list_topics(self._topic, timeout=_END_SECONDS).topics[self._topic].error
            if error is not None and is_missing_right(error):
                return missing_right(error, self._config, topic=self._topic)
        return None

    def _end(self, consumer: Consumer) -> int:
        """Where the past ends; 0 if the topic is not there yet, as all of it is still to come."""
        while not self._is_closed.is_set() and not self._is_stuck:
            try:
                return int(consumer.get_watermark_offsets(TopicPartition(self._topic, 0), timeout=_END_SECONDS)[1])
            except KafkaException as failure:
                if failure.args[0].code() in _NOT_THERE:
                    return 0
                consumer.poll(
                    _POLL_SECONDS
                )  # hears how the client stands; no record comes before something is assigned
        return 0
