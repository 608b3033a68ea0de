"""A foreign producer writes whatever it likes to the topics: each group that would decode it dead-letters it once, with its bytes and
the cause, and the records around it, of the same key and partition, are handled.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from uuid import UUID

import httpx
import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.company import ADMIN, Company
from tests.e2e.market import conversation, goods_on_sale, inbox, known_to, order
from tests.e2e.topics import DLQ, Seen, ends, records, seen
from tests.parts.waiting import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
READERS = {
    "order-events": {"notification-service", "cache-service", "order-service", "order-view", "quick-check"},
    "goods-events": {"cache-service", "goods-service", "order-service", "chat-service"},
    "chat-events": {"notification-service"},
    "user.notifications": {"notification-push-notification-local"},
}
CREATED_READERS = {"notification-service", "cache-service", "order-view"}
UNKNOWN_ID = 987_654
SUBJECT = "order-events-mall.order.TestEvent"


@dataclass(frozen=True, slots=True)
class Bad:
    """A value, the first word of the reason it is dead-lettered for, and the groups that do so."""

    name: str
    value: bytes
    word: str
    groups: frozenset[str]


def test_dead_letters_of_a_foreign_producer_name_the_cause_and_their_neighbours_are_handled(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller)
    known_to(company, "order", goods_id)
    known_to(company, "chat", goods_id)
    keys = {
        "order-events": str(order(company, buyer, goods_id)["order_id"]),
        "goods-events": str(goods_id),
        "chat-events": str(conversation(company, buyer, goods_id)),
        "user.notifications": str(buyer),
    }
    wait_until(lambda: inbox(company, buyer) == ["order_created"])
    company.settle()
    before = ends(company, *DLQ)
    written = {topic: write(company, topic, key, bad_values(company, topic)) for topic, key in keys.items()}

    step = f"/api/v1/orders/{keys['order-events']}/mark-paid"
    assert company.call("order", "POST", step, user=ADMIN).status_code == 200
    say = f"/api/v1/conversations/{keys['chat-events']}/messages"
    assert company.call("chat", "POST", say, user=seller, json={"text": "Still there?"}).status_code == 201
    wait_until(lambda: Counter(inbox(company, buyer)) == Counter(["order_created", "order_paid", "chat_message"]))
    other = order(company, buyer, goods_id)  # its StockChanged has the key of the bad records on goods-events
    cached = f"/api/v1/cache/goods/{goods_id}"
    wait_until(lambda: company.call("cache", "GET", cached).json().get("available") == 3)
    wait_until(lambda: inbox(company, seller).count("order_created") == 2)
    assert other["status"] == "PENDING_PAYMENT"
    company.settle()

    expected = Counter(
        (group, place, bad.value, bad.word)
        for places in written.values()
        for place, bad in places.items()
        for group in bad.groups
    )
    assert found_letters(company, before) == expected
    assert all(map(company.is_alive, company.layout.services))


def test_tombstones_are_nobodys_dead_letter(company: Company) -> None:
    before = ends(company, *DLQ)
    for topic in READERS:
        write(company, topic, "no-such-thing", [None])
    company.settle()
    assert ends(company, *DLQ) == before


def test_unknown_schema_ids_wait_for_the_registry_before_anybody_judges_them(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller)
    known_to(company, "order", goods_id)
    order(company, buyer, goods_id)
    company.settle()
    before = ends(company, *DLQ)
    stranger = Bad("unknown id", frame(UNKNOWN_ID + 1) + b"xyz", "undecodable", frozenset(READERS["order-events"]))
    newer, event_id = newer_test_event(company), "018f0000-0000-7000-8000-00000000e2e1"
    company.kill("registry")
    try:
        written = write(company, "order-events", "stranger", [stranger])
        write(company, "order-events", "newer", [newer], headers=ce_headers(event_id))
        order(company, buyer, goods_id)  # another key: its lane needs no answer of the registry
        wait_until(lambda: inbox(company, buyer) == ["order_created", "order_created"])
        wait_until(lambda: waiting(company))  # a broker with much to do may not say so at once
        assert ends(company, *DLQ) == before
    finally:
        company.restart("registry")
    company.settle()
    handled = company.rows("order", "SELECT event_id FROM test_event WHERE consumed_at IS NOT NULL")
    assert UUID(event_id) in {UUID(str(row.event_id)) for row in handled}
    expected = Counter(
        (group, place, bad.value, bad.word) for place, bad in written.items() for group in sorted(bad.groups)
    )
    assert found_letters(company, before) == expected


def bad_values(company: Company, topic: str) -> list[Bad]:
    """Values that are bad on a topic; some only for the groups that handle the class."""
    everybody = frozenset(READERS[topic])
    rng = Random(topic)
    listed = [
        Bad("plain text", b"invalid", "undecodable", everybody),
        Bad("empty", b"", "undecodable", everybody),
        Bad("one zero", b"\x00", "undecodable", everybody),
        Bad("four bytes", b"\x00\x00\x00\x01", "undecodable", everybody),
        Bad("another magic byte", b"\x01" + frame(1)[1:] + b"xyz", "undecodable", everybody),
        Bad("JSON", b'{"order_id": 1}', "undecodable", everybody),
        Bad("unknown id", frame(UNKNOWN_ID) + b"xyz", "undecodable", everybody),
        Bad("negative id", frame(-5) + b"xyz", "undecodable", everybody),
        *(Bad("noise", b"\x07" + rng.randbytes(rng.randrange(60)), "undecodable", everybody) for _ in range(5)),
    ]
    others = {name: value for name, value in good_values(company).items() if name != topic}
    listed += [Bad(f"a record of {name}", value, "not-allowed", everybody) for name, value in others.items()]
    if topic == "order-events":
        value = good_values(company)[topic]
        bodies = [value[:-1], value[:9], value[:5], value + b"\x00"]
        listed += [Bad("truncated", body, "undecodable", frozenset(CREATED_READERS)) for body in bodies]
    return listed


def good_values(company: Company) -> dict[str, bytes]:
    """One record that a topic really holds, OrderCreated among those of orders."""
    return {
        topic: next(record.value for record in records(company, topic) if is_good(record))
        for topic in ("order-events", "goods-events", "user.notifications")
    }


def is_good(record: Seen) -> bool:
    return (
        record.headers.get("ce_type", b"ORDER_CREATED").decode()
        in (
            "ORDER_CREATED",
            "GOODS_UPDATED",
            "user.notifications",
        )
        and "ce_id" in record.headers
    )


def frame(schema_id: int) -> bytes:
    return b"\x00" + schema_id.to_bytes(4, "big", signed=True)


def write(
    company: Company,
    topic: str,
    key: str,
    values: list[Bad] | list[bytes] | list[None],
    *,
    headers: Mapping[str, str] | None = None,
) -> dict[tuple[str, int, int], Bad]:
    """Produces the values under one key, as Java's default partitioner would; where the bad ones are."""
    placed: dict[tuple[str, int, int], Bad] = {}
    producer = Producer({"bootstrap.servers": company.layout.brokers, "partitioner": "murmur2_random", "log_level": 2})
    for value in values:

        def arrived(error: object, message: object, value: Bad | bytes | None = value) -> None:
            assert error is None, error
            if isinstance(value, Bad):
                record = seen(message)
                placed[record.topic, record.partition, record.offset] = value

        content = value.value if isinstance(value, Bad) else value
        producer.produce(topic, key=key.encode(), value=content, headers=dict(headers or {}), on_delivery=arrived)
    assert producer.flush(30) == 0
    return placed


def found_letters(
    company: Company, since: dict[tuple[str, int], int]
) -> Counter[tuple[str, tuple[str, int, int], bytes, str]]:
    """Group, original place, bytes and first word of the reason of every dead letter since then."""
    letters: Counter[tuple[str, tuple[str, int, int], bytes, str]] = Counter()
    for topic in DLQ:
        for letter in records(company, topic, since=since):
            place = (
                letter.headers["kafka_dlt-original-topic"].decode(),
                int.from_bytes(letter.headers["kafka_dlt-original-partition"], "big"),
                int.from_bytes(letter.headers["kafka_dlt-original-offset"], "big"),
            )
            group = letter.headers["kafka_dlt-original-consumer-group"].decode()
            letters[group, place, letter.value, letter.headers["treaty-reason"].decode().split()[0]] += 1
    return letters


def newer_test_event(company: Company) -> bytes:
    """A TestEvent as a producer of the next release would write it: a version with one optional field more."""
    url = company.layout.registry_url
    latest = json.loads(httpx.get(f"{url}/subjects/{SUBJECT}/versions/latest").json()["schema"])
    added = {"name": "weather", "type": ["null", "string"], "default": None, "doc": "How it looked outside."}
    if not any(field["name"] == "weather" for field in latest["fields"]):
        latest["fields"].append(added)
        answer = httpx.post(f"{url}/subjects/{SUBJECT}/versions", json={"schema": json.dumps(latest)})
        assert answer.is_success, answer.text
    settings = {"auto.register.schemas": False, "subject.name.strategy": lambda *_: SUBJECT}
    serializer = AvroSerializer(SchemaRegistryClient({"url": url}), json.dumps(latest), conf=settings)
    event = {"test_id": "newer", "sent_from": "cli", "event_time": 0, "note": None, "operator": None, "weather": "rain"}
    value: bytes = serializer(event, SerializationContext("order-events", MessageField.VALUE))
    return value


def ce_headers(event_id: str) -> dict[str, str]:
    return {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": "/mall/foreign",
        "ce_type": "TEST_EVENT",
    }


def waiting(company: Company) -> bool:
    """Whether the groups still have records of order-events before them."""
    return "quick-check" in company.behind()
