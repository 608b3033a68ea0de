"""One lane of an outbox as a transactional producer: the broker lets only the last owner of the lane append to the log.

Laws: whoever takes the lane ends what a former owner left open, and shuts that one out. A transaction holds, beside its records, the marks
of their rows, so that the next owner knows what is in the log for good even if nobody could delete the rows.
"""

from __future__ import annotations

import asyncio
from base64 import b85decode, b85encode
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Producer as Client

from treaty_runtime.errors import Outage
from treaty_runtime.event import Place
from treaty_runtime.kafka.config import NOT_BLOCKING, Config
from treaty_runtime.kafka.faults import fault_of
from treaty_runtime.transport import MARK_BYTES, Delivery, Fault, FaultKind, Outgoing

PORTION = 180
"""Records of a transaction at most: their marks as text must fit into the metadata of a commit (4,096 bytes by a broker's default)."""

TURN_SECONDS, LONGEST_TURN_SECONDS, PATIENCE_SECONDS = 0.2, 2.0, 20.0
"""How long one blocking call lasts, how long one that begins anew each time may grow, and after how many the work is given up."""

_ABORTED = Fault("_ABORTED", "Another record of the transaction was not taken.", FaultKind.AGAIN)
_GIVEN_UP = Fault("_PURGE_QUEUE", "The transaction was given up.", FaultKind.FENCED)
ANY_PARTITION, NOW = -1, 0  # as librdkafka understands them
_TIMED_OUT: int = KafkaError._TIMED_OUT  # noqa: SLF001  # librdkafka's local codes are named so
_OF_THE_RECORD = frozenset({FaultKind.HELD, FaultKind.REFUSED})
_FIRST_PARTITION = 0  # where the marks are noted, of the topic of the first record: every topic has it


class _Silence:
    def log(self, *_: object) -> None:
        """What librdkafka would write to stderr."""


Work = tuple[Outgoing, Callable[[Delivery], None]]


class KafkaLane:
    """Records produced in one turn of the loop are one transaction; each is answered when all are committed, or none is.

    `config` has the lane's `transactional.id`, which is also the name of the group whose offsets note what was sent. After
    ``is_broken`` only another object can go on, and has to take the lane anew.
    """

    def __init__(self, config: Config, *, reader: Config, threads: Executor) -> None:
        # Being fenced is no accident here, and reaches the caller as a fault: librdkafka's own lines would only repeat it.
        self._client, self._threads = Client({**config, "logger": _Silence()}), threads
        self._reader = {**reader, "group.id": config["transactional.id"]}
        self._group: Any = None
        self._queue: list[Work] = []
        self._asked: set[str] = set()
        self._known: set[bytes] = set()
        self._under_way: asyncio.Task[None] | None = None
        self._is_given_up = False
        self.is_broken = False

    async def take(self) -> None:
        """Shuts former owners out and ends what they left open; raises Outage while the broker cannot."""
        await self._threaded(partial(self._insist, self._client.init_transactions))

    async def sent(self, topics: Collection[str]) -> AbstractSet[bytes]:
        """Marks of rows that former owners and this one put into these topics for good; raises Outage."""
        new = set(topics) - self._asked
        if new:
            self._known |= await self._threaded(partial(self._noted, new))
        return self._known

    def open(self) -> None:
        """Nothing: to take the lane connects it."""

    def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
        """Adds a record to the transaction that begins when the loop turns."""
        if not self._queue:
            asyncio.get_running_loop().call_soon(self._begin)
        self._queue.append((record, done))

    async def room(self) -> None:
        """There is always room for a transaction."""

    async def flush(self, within: timedelta) -> int:
        """Waits for the transaction under way; answers how many of its records are still without an answer."""
        await asyncio.sleep(0)  # what was produced in this turn begins in the next
        task = self._under_way
        if task is None or task.done():
            return 0
        return len((await asyncio.wait({task}, timeout=within.total_seconds()))[1])

    def purge(self) -> None:
        """Gives the transaction under way up: it is aborted, now or by the next owner."""
        if self._queue or (self._under_way is not None and not self._under_way.done()):
            self._is_given_up = self.is_broken = True

    async def close(self) -> None:
        """Gives up what is under way, the taking too, and ends the client."""
        self._is_given_up = self.is_broken = True
        await self.flush(timedelta(seconds=PATIENCE_SECONDS))
        await asyncio.get_running_loop().run_in_executor(self._threads, self._ended)

    def _ended(self) -> None:
        del self._client  # waits for its threads

    async def _threaded(self, work: Callable[[], Any]) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except KafkaException as failure:
            self.is_broken = True
            raise Outage(str(failure.args[0].str()), dependency="kafka") from failure

    def _begin(self) -> None:
        work, self._queue = self._queue, []
        self._under_way = asyncio.get_running_loop().create_task(self._send(work))

    async def _send(self, work: Sequence[Work]) -> None:
        records = [record for record, _ in work]
        transaction = partial(self._transaction, records)
        try:
            answers = await asyncio.get_running_loop().run_in_executor(self._threads, transaction)
        except Exception as failure:  # noqa: BLE001  # a record without an answer would keep the relay waiting for ever
            self.is_broken = True
            why = Fault(type(failure).__name__, str(failure), FaultKind.OUTAGE)
            answers = [Delivery(None, -1, why) for _ in work]
        for (_, done), answer in zip(work, answers, strict=True):
            done(answer)

    def _transaction(self, records: Sequence[Outgoing]) -> list[Delivery]:
        """In a thread: everything, or nothing."""
        answers: list[Delivery | None] = [None] * len(records)
        try:
            self._client.begin_transaction()
            self._produce(records, answers)
            if self._is_given_up:
                return self._undone(answers, _GIVEN_UP)
            if any(answer is None or answer.fault is not None for answer in answers):
                return self._undone(answers, _ABORTED)
            note = self._note(records)
            self._insist(lambda seconds: self._client.send_offsets_to_transaction([note], self._group, seconds))
            self._insist(self._client.commit_transaction)
        except KafkaException as failure:
            return self._undone(answers, fault_of(failure.args[0]))
        return [answer for answer in answers if answer is not None]

    def _produce(self, records: Sequence[Outgoing], answers: list[Delivery | None]) -> None:
        def answered(number: int, error: KafkaError | None, message: Any) -> None:
            place = Place(message.topic(), message.partition(), message.offset())
            fault = None if error is None else fault_of(error)
            answers[number] = Delivery(None if fault else place, message.timestamp()[1], fault)

        for number, record in enumerate(records):
            try:
                self._put(record, partial(answered, number))
            except KafkaException as failure:
                fault = fault_of(failure.args[0])
                if fault.kind not in _OF_THE_RECORD:
                    raise
                answers[number] = Delivery(None, -1, fault)
        while None in answers and not self._is_given_up:
            self._client.poll(TURN_SECONDS)

    def _put(self, record: Outgoing, answered: Callable[[KafkaError | None, Any], None]) -> None:
        """Hands a record to the client, as soon as its queue has room; raises BufferError if it never has."""
        ends = monotonic() + PATIENCE_SECONDS
        while not self._is_given_up:
            try:
                self._client.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition if record.partition is not None else ANY_PARTITION,
                    timestamp=record.timestamp_ms or NOW,
                    headers=list(record.headers),
                    on_delivery=answered,
                )
            except BufferError:
                if monotonic() >= ends:
                    raise
                self._client.poll(TURN_SECONDS)
            else:
                return

    def _undone(self, answers: Sequence[Delivery | None], why: Fault) -> list[Delivery]:
        """Aborts; a record with a fault of its own keeps it. What cannot be aborted is ended by whoever takes the lane next."""
        try:
            self._client.purge(in_queue=True, in_flight=True, blocking=NOT_BLOCKING)
            self._insist(self._client.abort_transaction)
            self.is_broken |= why is not _ABORTED
        except KafkaException:
            self.is_broken = True
        return [answer if answer and answer.fault else Delivery(None, -1, why) for answer in answers]

    def _insist(self, call: Callable[[float], object]) -> None:
        """Calls again what was cut off by its time-out: the client goes on where it was."""
        turn, ends = TURN_SECONDS, monotonic() + PATIENCE_SECONDS
        while True:
            try:
                call(turn)
            except KafkaException as failure:
                if not failure.args[0].retriable() or self._is_given_up or monotonic() >= ends:
                    raise
            else:
                return
            turn = min(
                2 * turn, LONGEST_TURN_SECONDS
            )  # a note begins anew each time, and a coordinator may be far away

    def _asked_again(self, ask: Callable[..., list[TopicPartition]]) -> list[TopicPartition]:
        """Asks anew what was cut off by its time-out, each time longer: a question, unlike a transaction, does not go on by itself."""
        turn, ends = TURN_SECONDS, monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return ask(timeout=turn)
            except KafkaException as failure:
                if failure.args[0].code() != _TIMED_OUT or self._is_given_up or monotonic() >= ends:
                    raise
            turn = min(2 * turn, LONGEST_TURN_SECONDS)

    def _note(self, records: Sequence[Outgoing]) -> TopicPartition:
        marks = [record.mark for record in records]
        self._known = set(marks)
        return TopicPartition(
            records[0].topic, _FIRST_PARTITION, len(marks), metadata=b85encode(b"".join(marks)).decode()
        )

    def _noted(self, topics: Collection[str]) -> set[bytes]:
        client = Consumer(self._reader)
        try:
            self._group = client.consumer_group_metadata()
            places = [TopicPartition(topic, _FIRST_PARTITION) for topic in sorted(topics)]
            found = self._asked_again(partial(client.committed, places))
        finally:
            client.close()
        for place in found:
            if place.error is None:
                self._asked.add(place.topic)
            elif fault_of(place.error).kind is not FaultKind.HELD:  # its keys wait, and it is asked for again
                raise KafkaException(place.error)
        return {mark for place in found if place.offset >= 0 for mark in marks_of(place.metadata or "")}


def marks_of(text: str) -> list[bytes]:
    """The marks in a commit's metadata; none in a text that is not ours."""
    with suppress(ValueError):
        told = b85decode(text)
        return [told[start : start + MARK_BYTES] for start in range(0, len(told), MARK_BYTES)]
    return []
