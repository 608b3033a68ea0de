"""Topics as an outsider reads them: another client with a deserializer of its own, no group, from the first record to the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.company import Company
from tests.parts.waiting import wait_until

MOVING = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}
DLQ = ("dlq.order", "dlq.goods", "dlq.chat", "dlq.notification", "dlq.cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One record. ``offset`` orders within (topic, partition)."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: dict[str, bytes]

    @property
    def event_id(self) -> UUID:
        """Its `ce_id`."""
        return UUID(self.headers["ce_id"].decode())

    @property
    def type(self) -> str:
        """Its `ce_type`."""
        return self.headers["ce_type"].decode()


@contextmanager
def outsider(company: Company) -> Iterator[Consumer]:
    """A consumer that joins no group and commits nothing."""
    settings = {"bootstrap.servers": company.layout.brokers, "group.id": "outsider", "enable.auto.commit": False}
    consumer = Consumer(settings | {"enable.partition.eof": False, "isolation.level": "read_committed"})
    try:
        yield consumer
    finally:
        consumer.close()


def ends(company: Company, *topics: str) -> dict[tuple[str, int], int]:
    """Number of the next record of every partition."""
    with outsider(company) as consumer:
        return {
            (topic, number): wait_until(partial(asked, consumer, TopicPartition(topic, number)))[1]
            for topic in topics
            for number in consumer.list_topics(topic, timeout=60).topics[topic].partitions
        }


def asked(consumer: Consumer, place: TopicPartition) -> tuple[int, int] | None:
    """First and next offset; None while the broker leads nothing, as after its own controller has missed it for a while."""
    try:
        offsets: tuple[int, int] = consumer.get_watermark_offsets(place, timeout=60)
    except KafkaException as fault:
        if fault.args[0].retriable() or fault.args[0].code() in MOVING:
            return None
        raise
    return offsets


def records(company: Company, topic: str, *, since: dict[tuple[str, int], int] | None = None) -> list[Seen]:
    """Every record of a topic up to now, from ``since`` (else from the beginning), partition by partition in order."""
    begin = since or {}
    last = ends(company, topic)
    left = {place for place, end in last.items() if end > begin.get(place, 0)}
    found: list[Seen] = []
    with outsider(company) as consumer:
        consumer.assign([TopicPartition(*place, begin.get(place, 0)) for place in left])
        while left:
            for message in consumer.consume(500, 0.2):
                assert message.error() is None, message.error()
                found.append(seen(message))
            at = {(each.topic, each.partition): each.offset for each in consumer.position(map_places(left))}
            left = {place for place in left if at[place] < last[place]}
    return sorted(found, key=lambda record: (record.partition, record.offset))


def map_places(places: Iterable[tuple[str, int]]) -> list[TopicPartition]:
    return [TopicPartition(*place) for place in places]


def seen(message: Any) -> Seen:
    headers: dict[str, bytes] = {}
    for name, value in message.headers() or ():
        headers.setdefault(name, value)
    return Seen(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=(message.key() or b"").decode(),
        value=message.value() or b"",
        headers=headers,
    )


class Decoding:
    """Values by Confluent's own deserializer."""

    def __init__(self, company: Company) -> None:
        self._avro = AvroDeserializer(SchemaRegistryClient({"url": company.layout.registry_url}))

    def __call__(self, record: Seen) -> dict[str, Any]:
        """The event's fields."""
        fields: dict[str, Any] = self._avro(record.value, SerializationContext(record.topic, MessageField.VALUE))
        return fields
