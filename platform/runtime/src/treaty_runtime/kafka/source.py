"""The consumer: one thread is its sole owner from joining the group to leaving it. No handler ever runs there."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import monotonic, sleep
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from treaty_runtime.errors import Outage
from treaty_runtime.event import Partition, Place
from treaty_runtime.kafka.config import Config
from treaty_runtime.kafka.faults import fault_of, invalid_settings, is_missing_right, missing_right
from treaty_runtime.kafka.fetched import Fetched
from treaty_runtime.kafka.resets import Resets
from treaty_runtime.kafka.standing import EVERY_MS, Standing
from treaty_runtime.transport import (
    Assigned,
    Broken,
    Fault,
    FaultKind,
    Lost,
    Position,
    Records,
    Refused,
    Revoking,
    SourceEvent,
)

_CONSUME_RECORDS, _CONSUME_SECONDS = 500, 0.05
_BATCHES_AHEAD = 2
_COMMITTED_SECONDS, _KNOWN_SECONDS = 5.0, 30.0
LAST_COMMIT_SECONDS, _LAST_COMMIT_PAUSE = 5.0, 0.2
_LEAVING_SECONDS = 15.0
"""What leaving may take beyond the last drain: the last commit, and the broker's answers. What takes longer hangs."""
_HUNG = Fault("_TIMED_OUT", "The client did not leave its group in time and was given up.", FaultKind.OUTAGE)
_MOVING = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
    }
)
"""What a commit is refused with that crossed a rebalance on its way; the partitions are still ours then.

Source: librdkafka 2.16, `rd_kafka_cgrp_op_handle_OffsetCommit`: while a member joins again, the new generation comes after this error.
"""
_END, _GONE, _NO_BROKERS = KafkaError._PARTITION_EOF, KafkaError._DESTROY, KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001  # librdkafka's local codes are named so
_FATAL = frozenset({KafkaError._FATAL, KafkaError._AUTO_OFFSET_RESET})  # noqa: SLF001  # as above
"""After the second, which `auto.offset.reset=error` wishes for, the client never reads the partition again."""


class KafkaSource:
    """A member of a group. Its thread is the sole owner of the consumer from joining to leaving."""

    def __init__(self, config: Config, *, topics: Iterable[str], drain: timedelta = timedelta(seconds=10)) -> None:
        self._config, self._topics = config, list(topics)
        self._revoke_seconds = (
            drain.total_seconds() + 5
        )  # the consumer keeps to ``drain``; this only bounds a hanging loop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._commands: deque[Callable[[Any], None]] = deque()
        self._commits: deque[asyncio.Future[None]] = deque()
        self._arrived: deque[SourceEvent | list[Any] | None] = deque()
        self._woken, self._ended = asyncio.Event(), asyncio.Event()
        self._taken = threading.Event()
        self._assigned: set[Partition] = set()
        self._times, self._known_times = Counter[Partition](), Counter[Partition]()
        """How often each partition was assigned, and of how often the loop knows."""
        self._is_closing = self._is_over = self._is_stuck = self._has_failed = False
        self._standing, self._resets = Standing(), Resets(config)
        self._polled_at = monotonic()
        self._last_error: KafkaError | None = None

    async def events(self) -> AsyncIterator[SourceEvent]:
        """Joins the group and yields what happens, until closed. InvalidSettings for those that the client refuses."""
        self._loop = asyncio.get_running_loop()
        callbacks = {"on_commit": self._on_commit, "error_cb": self._noticed, "stats_cb": self._measured}
        ours = {**callbacks, "logger": self._resets, "log_level": self._resets.log_level}
        try:
            consumer = Consumer({"statistics.interval.ms": EVERY_MS, **self._config, **ours})
        except KafkaException as failure:
            raise invalid_settings(failure) from failure
        self._thread = threading.Thread(target=self._run, args=(consumer,), name="treaty-consumer", daemon=True)
        self._thread.start()
        while True:
            while not self._arrived:
                self._woken.clear()
                await self._woken.wait()
            event = self._arrived.popleft()
            self._taken.set()
            if event is None:
                return
            if isinstance(event, Assigned):
                self._known_times.update(event.partitions)
            yield Records([Fetched(message) for message in event]) if isinstance(event, list) else event

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Stops fetching; records already on their way may still arrive."""
        self._commands.append(partial(self._switch, "pause", {each: self._known_times[each] for each in partitions}))

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Fetches again, from where it stopped."""
        self._commands.append(partial(self._switch, "resume", {each: self._known_times[each] for each in partitions}))

    def seek(self, place: Place) -> None:
        """Reads the partition again from this place, as a new assignment."""
        self._commands.append(partial(self._seek, place))

    async def commit(self, offsets: Mapping[Partition, Position]) -> None:
        """Commits in one request; raises ``Outage`` if the broker did not take it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._commands.append(partial(self._commit, dict(offsets), future))
        if self._is_over:
            self._refuse_commits()  # the thread that would have obeyed is gone
        await future

    async def close(self) -> None:
        """Leaves the group after a last Revoking for what is still assigned; ends ``events``."""
        self._is_closing = True
        if self._thread is None:
            return
        # Not by a join in the executor: a client that was closed while it joined its group was seen to wait for ever, six of them
        # left the executor no thread, and no connection was made any more.
        try:
            async with asyncio.timeout(self._revoke_seconds + _LEAVING_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            # The group forgets the client after its session; who reads may begin anew.
            self._is_over = True
            self._refuse_commits()
            self._post(Broken(_HUNG))
            self._post(None)

    @property
    def poll_age_seconds(self) -> float:
        """How long ago the thread last turned."""
        return monotonic() - self._polled_at

    # -- on the thread from here on

    def _run(self, consumer: Any) -> None:
        try:
            consumer.subscribe(
                self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )
            self._turn(consumer)
            consumer.close()
        except Exception as failure:  # noqa: BLE001  # whatever it is, the loop must learn that nobody reads any more
            self._has_failed = True
            error = failure.args[0] if isinstance(failure, KafkaException) else None
            self._post(Broken(fault_of(error) if error else Fault("_CRASH", repr(failure), FaultKind.OUTAGE)))
        finally:
            self._is_over = True
            self._refuse_commits()
            self._post(None)
            self._call(self._ended.set)
        if self._has_failed and not self._is_stuck:  # else its partitions would wait for the end of its session
            with suppress(Exception):
                consumer.close()

    def _turn(self, consumer: Any) -> None:
        while not self._is_closing:
            while self._commands:
                self._commands.popleft()(consumer)
            if len(self._arrived) >= _BATCHES_AHEAD:
                # The loop is behind. Marks pause partitions only for what it has seen, so the thread waits for it.
                self._taken.clear()
                self._taken.wait(_CONSUME_SECONDS)
                self._polled_at = monotonic()
                continue
            messages = consumer.consume(_CONSUME_RECORDS, _CONSUME_SECONDS)
            if self._is_stuck:
                raise KafkaException(self._last_error or KafkaError(_NO_BROKERS))
            self._polled_at = monotonic()
            if messages:
                self._receive(messages)
            if self._resets.open and (missed := self._resets.missed_in_silence(consumer)):
                self._post(missed)

    def _receive(self, messages: list[Any]) -> None:
        """Hands messages over as they are: records are made of them where they are used, so that they are near the processor."""
        failed = [message for message in messages if message.error() is not None]
        for message in failed:
            error = message.error()
            if error.code() in _FATAL:  # the mark of fatal errors is never set on those of messages
                raise KafkaException(error)
            if is_missing_right(error):
                self._post(Refused(missing_right(error, self._config, topic=message.topic()), message.topic()))
            elif error.code() != _END:
                self._noticed(error)
        good = [message for message in messages if message.error() is None] if failed else messages
        if self._resets.open:
            for missed in self._resets.missed(good):
                self._post(missed)
        if good:
            self._post(good)

    def _post(self, event: SourceEvent | list[Any] | None) -> None:
        self._arrived.append(event)
        self._call(self._woken.set)

    def _call(self, work: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is gone: nobody reads any more
            if self._loop is not None:
                self._loop.call_soon_threadsafe(work)

    def _noticed(self, error: KafkaError) -> None:
        if error.code() != _NO_BROKERS:  # it says that there is none, the one before says why
            self._last_error = error

    def _measured(self, statistics: str) -> None:
        needs_partitions = bool(self._assigned)
        self._is_stuck = self._standing.is_stuck(statistics, now=monotonic(), needs_partitions=needs_partitions)

    def _on_assign(self, consumer: Any, partitions: list[Any]) -> None:
        fresh = frozenset(Partition(each.topic, each.partition) for each in partitions)
        if partitions:  # librdkafka remembers pauses of a partition that left, and whoever gets it anew knows of none
            consumer.resume(partitions)
        self._assigned |= fresh
        self._gained(fresh, self._committed(consumer, partitions))

    def _gained(self, fresh: frozenset[Partition], committed: dict[Partition, Position]) -> None:
        self._times.update(fresh)
        self._post(Assigned(fresh, committed))

    def _committed(self, consumer: Any, partitions: list[Any]) -> dict[Partition, Position]:
        known = self._asked_for_committed(consumer, partitions) if partitions else []
        return {
            Partition(each.topic, each.partition): Position(each.offset, each.metadata or "")
            for each in known
            if each.offset >= 0
        }

    def _asked_for_committed(self, consumer: Any, partitions: list[Any]) -> list[Any]:
        """Asks until it is answered, for the deaths of records are told there. Raises what the broker said last: another client asks."""
        deadline = monotonic() + _KNOWN_SECONDS
        while isinstance(known := _known(consumer, partitions), KafkaError):
            self._noticed(known)
            if self._is_closing or monotonic() > deadline:
                raise KafkaException(known)
            sleep(_LAST_COMMIT_PAUSE)
            self._polled_at = monotonic()
        return known

    def _on_revoke(self, consumer: Any, partitions: list[Any]) -> None:
        leaving = frozenset(Partition(each.topic, each.partition) for each in partitions) & self._assigned
        answered = threading.Event()
        answers: list[Mapping[Partition, Position]] = []

        def done(offsets: Mapping[Partition, Position]) -> None:
            answers.append(offsets)
            answered.set()

        if leaving and not self._has_failed:
            self._post(Revoking(leaving, done))
            answered.wait(self._revoke_seconds)
            self._polled_at = monotonic()  # to drain was no standstill; the last commit has its own time
        final = {
            partition: position
            for offsets in answers
            for partition, position in offsets.items()
            if partition in leaving
        }
        if final:
            self._commit_last(consumer, final)
        self._leave(leaving)

    def _commit_last(self, consumer: Any, offsets: Mapping[Partition, Position]) -> None:
        """Commits what leaves with its partitions. Where others come or go at this moment the broker refuses for that moment."""
        deadline = monotonic() + LAST_COMMIT_SECONDS
        while True:
            try:
                consumer.commit(offsets=_topic_partitions(offsets), asynchronous=False)
            except KafkaException as failure:
                error = failure.args[0]
                self._noticed(error)
                if error.code() not in _MOVING or monotonic() > deadline:
                    return  # not taken: those records are seen again
                sleep(_LAST_COMMIT_PAUSE)
            else:
                return

    def _on_lost(self, _consumer: Any, partitions: list[Any]) -> None:
        lost = frozenset(Partition(each.topic, each.partition) for each in partitions)
        self._leave(lost)
        self._post(Lost(lost))

    def _leave(self, partitions: frozenset[Partition]) -> None:
        self._assigned -= partitions
        self._resets.forget(partitions)

    def _switch(self, verb: str, meant: Mapping[Partition, int], consumer: Any) -> None:
        # Not those of an assignment that went while the loop was behind: the next one would stay paused for ever.
        now = [each for each, times in meant.items() if each in self._assigned and self._times[each] == times]
        mine = [TopicPartition(*partition) for partition in now]
        with suppress(KafkaException):  # left in this very moment
            if mine:
                getattr(consumer, verb)(mine)

    def _seek(self, place: Place, consumer: Any) -> None:
        if place.of not in self._assigned or self._is_over:
            return
        # Raises where the client is in no state for it: then another one reads from what is committed.
        consumer.seek(TopicPartition(*place))
        consumer.resume([TopicPartition(*place.of)])
        again = frozenset({place.of})
        self._resets.forget(again)
        self._post(Lost(again))
        self._gained(again, {})

    def _commit(self, offsets: Mapping[Partition, Position], future: asyncio.Future[None], consumer: Any) -> None:
        # A partition that was revoked meanwhile had its last commit inside the callback; an older one would go back.
        mine = {partition: position for partition, position in offsets.items() if partition in self._assigned}
        if not mine and not self._is_over:
            self._resolve(future, None)
            return
        try:
            consumer.commit(offsets=_topic_partitions(mine), asynchronous=True)
        except KafkaException as failure:
            self._resolve(future, failure.args[0])
        else:
            self._commits.append(future)

    def _on_commit(self, error: KafkaError | None, _partitions: list[Any]) -> None:
        if self._commits:
            self._resolve(self._commits.popleft(), error)

    def _refuse_commits(self) -> None:
        """Whoever still waits for a commit learns that none will come."""
        while self._commits:
            self._resolve(self._commits.popleft(), KafkaError(_GONE))
        closed = _Closed()
        while self._commands:
            self._commands.popleft()(closed)

    def _resolve(self, future: asyncio.Future[None], error: KafkaError | None) -> None:
        outcome = None if error is None else Outage(f"Commit failed: {error.str()}", dependency="kafka")
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(_set, future, outcome)


class _Closed:
    """Stands in for a consumer that has left: pauses and seeks mean nothing any more, a commit is refused."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_arguments: Any, **_options: Any) -> None:
            raise KafkaException(KafkaError(_GONE))

        return refuse


def _set(future: asyncio.Future[None], outcome: Outage | None) -> None:
    if future.done():
        return
    if outcome is None:
        future.set_result(None)
    else:
        future.set_exception(outcome)


def _known(consumer: Any, partitions: list[Any]) -> list[Any] | KafkaError:
    """What is committed for all of them, or why it is not known."""
    try:
        known: list[Any] = consumer.committed(partitions, timeout=_COMMITTED_SECONDS)
    except KafkaException as failure:
        error: KafkaError = failure.args[0]
        return error
    return next((each.error for each in known if each.error is not None), known)


def _topic_partitions(offsets: Mapping[Partition, Position]) -> list[Any]:
    return [
        TopicPartition(partition.topic, partition.partition, position.offset, position.metadata)
        for partition, position in offsets.items()
    ]
