"""Topics as an operator reads and adds to them: without a group, between two offsets, one record after the other. Blocking.

Reading never commits anything and joins no group, so a look at a topic changes nothing for those who consume it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar

from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from treaty_runtime.admin import AWAY, ClusterRefused, ClusterUnreachable, Complaints, cause_code
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.kafka.message_headers import headers_of
from treaty_runtime.transport import Outgoing

T = TypeVar("T")
Span = tuple[int, int]
"""First offset, and the one after the last."""

TIMEOUT_SECONDS = 15.0
_POLL_RECORDS, _POLL_SECONDS = 500, 0.2
_ANY_PARTITION, _NOW = -1, 0  # as librdkafka understands them
_END, _LATE = KafkaError._PARTITION_EOF, KafkaError._MSG_TIMED_OUT  # noqa: SLF001  # librdkafka's local codes are named so
_FIRST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the library's gap
_LAST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # as above
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")  # Kafka's `Topic.validate`
_READER = "treaty-operator"  # librdkafka wants a group's name even where none is joined


class Log:
    """The records of a cluster's topics. ``extra`` are librdkafka settings (security). Use as a context manager.

    Raises ``ClusterUnreachable`` when the cluster is silent for ``timeout`` seconds, ``ClusterRefused`` when it refuses.
    """

    def __init__(
        self, bootstrap: str, *, extra: Mapping[str, Any] | None = None, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self.bootstrap = bootstrap
        self._timeout = timeout
        self._complaints = Complaints()
        shared = {"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": self._complaints, **(extra or {})}
        self._consumer = Consumer(
            shared
            | {
                "group.id": _READER,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",  # the oldest may be gone between asking for it and reading it
                "allow.auto.create.topics": False,
            }
        )
        self._shared = shared
        self._producer: Producer | None = None
        # Questions have a connection of their own: a broker answers what came after a fetch only when the fetch has ended its wait.
        self._admin = AdminClient(shared)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def topics(self) -> list[str]:
        """Names of all topics."""
        return sorted(self._listed())

    def partitions(self, topics: Iterable[str] | None = None) -> list[Partition]:
        """The partitions of those topics (None: of all) that exist. ``ClusterRefused`` for a named one that we may not see."""
        found = self._listed() if topics is None else self._described(topics)
        return [Partition(topic, number) for topic, numbers in found.items() for number in numbers]

    def spans(self, topics: Iterable[str]) -> dict[Partition, Span]:
        """What each partition of those topics holds now; topics that do not exist are left out.

        Raises ``ClusterRefused`` for one that we have no right to see.
        """
        partitions = self.partitions(topics)
        lows, highs = self._edges(partitions, _FIRST), self._edges(partitions, _LAST)
        return {partition: (lows[partition], highs[partition]) for partition in partitions}

    def span(self, partition: Partition) -> Span:
        """What a partition holds now."""
        edges = (self._edges([partition], spec) for spec in (_FIRST, _LAST))
        low, high = (edge[partition] for edge in edges)
        return low, high

    def _edges(self, partitions: Sequence[Partition], spec: OffsetSpec) -> dict[Partition, int]:
        """An edge of each partition, by one request a broker: asked one by one, hundreds of partitions take many seconds."""
        if not partitions:
            return {}
        asked = {TopicPartition(*partition): spec for partition in partitions}

        def ask() -> dict[Partition, int]:
            committed = IsolationLevel.READ_COMMITTED
            futures = self._admin.list_offsets(asked, isolation_level=committed, request_timeout=self._timeout)
            return {
                Partition(place.topic, place.partition): future.result().offset for place, future in futures.items()
            }

        return self._ask(ask)

    def read(self, spans: Mapping[Partition, Span]) -> Iterator[Record]:
        """The records within the spans, in order per partition; offsets that hold no record are passed over."""
        ends = {partition: end for partition, (start, end) in spans.items() if start < end}
        self._consumer.assign([TopicPartition(*partition, spans[partition][0]) for partition in ends])
        heard = monotonic()
        try:
            while ends:
                messages = self._ask(self._next)
                if messages:
                    heard = monotonic()
                elif monotonic() - heard > self._timeout:
                    raise ClusterUnreachable(f"Kafka at {self.bootstrap} sent nothing for {self._timeout:g} seconds")
                for message in messages:
                    record = self._record(message, ends)
                    if record is not None:
                        yield record
        finally:
            self._consumer.unassign()

    def _next(self) -> list[Any]:
        # Asked for many, librdkafka would wait the whole time for the last of them.
        first = self._consumer.poll(_POLL_SECONDS)
        return [] if first is None else [first, *self._consumer.consume(_POLL_RECORDS, 0)]

    def record(self, place: Place) -> Record | None:
        """The record at a place; None if it is gone, or never was: there may be no such partition or topic either."""
        if place.of not in self.partitions([place.topic]):
            return None
        low, high = self.span(place.of)
        if not low <= place.offset < high:
            return None
        found = next(self.read({place.of: (place.offset, high)}), None)
        return found if found is not None and found.place == place else None

    def append(self, record: Outgoing) -> Place:
        """Produces a record and waits until all replicas have it; answers its place."""
        producer = self._producer = self._producer or self._begin()
        answers: list[tuple[KafkaError | None, Any]] = []

        def produce() -> None:
            producer.produce(
                record.topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers),
                on_delivery=lambda error, message: answers.append((error, message)),
                partition=_ANY_PARTITION if record.partition is None else record.partition,
                timestamp=record.timestamp_ms or _NOW,
            )

        try:
            self._ask(produce)
            while not answers:
                self._ask(partial(producer.poll, _POLL_SECONDS))
        except (ClusterRefused, ClusterUnreachable):
            self._producer = None  # one that has failed for good says so to every record
            raise
        error, message = answers[0]
        if error is not None:
            raise cluster_fault(KafkaException(error), self.bootstrap)
        return Place(message.topic(), message.partition(), message.offset())

    def _begin(self) -> Producer:
        """Each record is waited for: order holds, and after a kill at most one is in doubt."""
        ours = {
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 0,
            "partitioner": "murmur2_random",
            "message.max.bytes": (1 << 20) + (64 << 10),
            "delivery.timeout.ms": int(self._timeout * 1000),
            "topic.metadata.propagation.max.ms": 2_000,  # an unknown topic is told before records expire
        }
        return Producer(self._shared | ours)

    def _listed(self) -> dict[str, list[int]]:
        listed = self._ask(lambda: self._admin.list_topics(timeout=self._timeout)).topics
        return {name: list(topic.partitions) for name, topic in listed.items()}

    def _described(self, topics: Iterable[str]) -> dict[str, list[int]]:
        # Asked by name: a list leaves out the topics that we have no right to see, and they are not empty.
        names = [name for name in dict.fromkeys(topics) if _TOPIC.fullmatch(name)]
        if not names:
            return {}
        told = self._admin.describe_topics(TopicCollection(names), request_timeout=self._timeout)
        found = {}
        for name in names:
            try:
                found[name] = [each.id for each in self._ask(told[name].result).partitions]
            except ClusterRefused as refused:
                code = cause_code(refused)
                if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    told_of = f"Kafka at {self.bootstrap} does not let us see topic {name}: Topic authorization failed"
                    raise ClusterRefused(told_of) from refused.__cause__
                if code != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
        return found

    def _record(self, message: Any, ends: dict[Partition, int]) -> Record | None:
        """The record of a message that we still want; strikes out the partitions that are read to their ends."""
        error, partition = message.error(), Partition(message.topic(), message.partition())
        if error is not None and error.code() != _END:
            raise cluster_fault(KafkaException(error), self.bootstrap)
        end = ends.get(partition)
        if end is None:
            return None
        if error is not None or message.offset() >= end - 1:
            del ends[partition]
        return None if error is not None or message.offset() >= end else _as_record(message)

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except KafkaException as error:
            self._admin.poll(0)
            raise self._complaints.judged(cluster_fault(error, self.bootstrap), self.bootstrap) from error
        except BufferError as error:
            raise ClusterRefused(f"The queue towards Kafka at {self.bootstrap} is full.") from error


def cluster_fault(error: KafkaException, bootstrap: str) -> ClusterRefused | ClusterUnreachable:
    """What an operator is told of a client's error."""
    detail = error.args[0]
    if isinstance(detail, KafkaError) and (detail.code() in AWAY or detail.code() == _LATE):
        return ClusterUnreachable(f"Kafka at {bootstrap} does not answer: {detail.str()}")
    return ClusterRefused(f"Kafka at {bootstrap} refused: {detail.str() if isinstance(detail, KafkaError) else detail}")


def _as_record(message: Any) -> Record:
    kind, milliseconds = message.timestamp()
    return Record(
        Place(message.topic(), message.partition(), message.offset()),
        message.key(),
        message.value(),
        headers_of(message),
        milliseconds,
        kind == TIMESTAMP_LOG_APPEND_TIME,
    )
