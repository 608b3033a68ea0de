"""``treaty messages check``: real records on a real broker, read by the schemas of today."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.treaty_codegen.schema_texts import event, f
from treaty.errors import UsageError
from treaty.ops.http import RegistryHttp
from treaty.ops.messages import Since, check_messages, rounds
from treaty.ops.registered import Registered
from treaty.ops.seek import parse_seek
from treaty_avro import compile_generic, parse
from treaty_codegen import Catalog, load_catalog
from treaty_runtime.admin import Cluster
from treaty_runtime.event import Partition
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.transport import Outgoing

AT = datetime(2026, 1, 2, tzinfo=UTC)
MICROS, MILLIS = ({"type": "long", "logicalType": f"timestamp-{unit}"} for unit in ("micros", "millis"))


def text(*fields: dict[str, Any]) -> str:
    return next(iter(event(list(fields)).values()))


def catalog(topic: str, *fields: dict[str, Any]) -> Catalog:
    events = json.dumps(["mall.order.OrderPaid"])
    toml = f'format = 1\n[topic."{topic}"]\ndoc = "d"\nowner = "@o"\nevents = {events}\n'
    return load_catalog(event(list(fields)), topics=toml)


@pytest.fixture
def topic(kafka: str, unique: Callable[[str], str]) -> str:
    name = unique("orders")
    with Cluster(kafka) as cluster:  # some records are of a day gone by
        cluster.create(name, partitions=2, replication=1, config={"retention.ms": "-1"})
        cluster.await_topics([name])
    return name


@pytest.fixture
def log(kafka: str) -> Iterator[Log]:
    with Log(kafka) as opened:
        yield opened


@pytest.mark.kafka
def test_retained_records_are_read_as_tomorrows_readers_would(topic: str, log: Log, registry: str) -> None:
    written = text(f("id", "long"), f("at", MILLIS))
    with RegistryHttp(registry) as http:
        schema_id = http.register(f"{topic}-value", written)
        encode, _ = compile_generic(parse(written))
        frame = b"\x00" + schema_id.to_bytes(4, "big")
        good = [frame + encode({"id": number, "at": AT}) for number in range(5)]
        for value in (*good, frame, None, b"junk", b"\x00\x7f\xff\xff\xff\x00"):
            log.append(Outgoing(topic=topic, value=value, key=b"k", headers=()))

        def reports(*fields: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
            found = check_messages(catalog(topic, *fields), log, Registered(http), topic=topic, sample=100)
            return {each.event: (each.read, each.failed, each.changed) for each in found}

        broken = {"(not framed)": (0, 1, 0), "(schema id 2147483647)": (0, 1, 0)}
        same = reports(f("id", "long"), f("at", MILLIS), f("note", "string", default=""))
        assert same == broken | {"mall.order.OrderPaid": (5, 1, 0)}
        meaning = reports(f("id", "long"), f("at", MICROS))
        assert meaning["mall.order.OrderPaid"] == (5, 1, 5)
        refused = reports(f("id", "string"), f("at", MILLIS))
        assert refused["mall.order.OrderPaid"] == (0, 6, 0)
        with pytest.raises(UsageError, match="There is no topic nowhere"):
            check_messages(catalog(topic, f("id", "long")), log, Registered(http), topic="nowhere", sample=1)


@pytest.mark.kafka
def test_records_from_a_place_on_are_looked_at_and_none_before(topic: str, log: Log, registry: str, kafka: str) -> None:
    """Six records by offset, count and time, as the broker has them."""
    written = text(f("id", "long"))
    with RegistryHttp(registry) as http:
        frame = b"\x00" + http.register(f"{topic}-value", written).to_bytes(4, "big")
        encode, _ = compile_generic(parse(written))
        for number in range(6):
            at = int((AT + timedelta(hours=number)).timestamp() * 1000)
            value = frame + encode({"id": number})
            log.append(Outgoing(topic=topic, value=value, key=b"k", headers=(), timestamp_ms=at))
        offsets_at = Groups(kafka).offsets_at

        def looked_at(place: str) -> int:
            since = Since(seek=parse_seek(place, now=AT + timedelta(hours=5)), offsets_at=offsets_at)
            found = check_messages(
                catalog(topic, f("id", "long")), log, Registered(http), topic=topic, sample=100, since=since
            )
            return sum(each.read for each in found)

        places = ("start", "4", "-1", "@-2h", "@2026-01-02T01:30:00+00:00", "@-0s", "end", "999")
        assert [looked_at(place) for place in places] == [6, 2, 1, 3, 4, 1, 0, 0]
        with pytest.raises(UsageError, match="no place to shift from"):
            looked_at("shift:-5")


@pytest.mark.parametrize("sample", [1, 7, 100, 999, 1000, 5000])
def test_a_sample_is_spread_over_all_partitions_and_offsets_and_reads_nothing_twice(sample: int) -> None:
    spans = {Partition("t", 0): (100, 900), Partition("t", 1): (0, 200), Partition("t", 2): (5, 5)}
    read: list[tuple[int, int]] = []
    for windows in rounds(spans, sample=sample):
        read += [(place.partition, offset) for place, (start, end) in windows.items() for offset in range(start, end)]
    assert len(set(read)) == len(read)
    assert all(spans[Partition("t", number)][0] <= offset < spans[Partition("t", number)][1] for number, offset in read)
    assert min(sample, 1000) <= len(read) <= min(1000, sample + 2 * 10)
    if 20 < sample < 1000:
        assert max(offset for number, offset in read if number == 0) >= 820
