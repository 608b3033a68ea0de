"""An operator reads a topic between two offsets and adds to it, on a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError

from treaty_runtime.admin import Cluster, ClusterRefused, ClusterUnreachable
from treaty_runtime.event import Partition, Place
from treaty_runtime.kafka.log import Log
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import Outgoing

pytestmark = pytest.mark.kafka


@pytest.fixture
def log(kafka: str) -> Iterator[Log]:
    with Log(kafka) as opened:
        yield opened


@pytest.fixture
def topic(kafka: str, unique: Callable[[str], str]) -> str:
    name = unique("operators-log")
    with Cluster(kafka) as cluster:
        cluster.create(name, partitions=2, replication=1, config={})
        cluster.await_topics([name])
    return name


def test_what_is_appended_is_read_in_order_with_headers(log: Log, topic: str) -> None:
    for number in range(5):
        sent = Outgoing(topic=topic, key=b"k", value=b"%d" % number, headers=(("n", b"%d" % number),), partition=1)
        assert log.append(sent) == Place(topic, 1, number)
    spans = log.spans([topic, "no-such-topic"])
    assert spans == {Partition(topic, 0): (0, 0), Partition(topic, 1): (0, 5)}
    records = list(log.read(spans))
    assert [record.value for record in records] == [b"0", b"1", b"2", b"3", b"4"]
    assert [dict(record.headers)["n"] for record in records] == [b"0", b"1", b"2", b"3", b"4"]
    assert [record.value for record in log.read({Partition(topic, 1): (1, 3)})] == [b"1", b"2"]


def test_one_record_is_found_by_its_place(log: Log, topic: str) -> None:
    place = log.append(Outgoing(topic=topic, key=b"k", value=b"v", partition=0))
    found = log.record(place)
    assert found is not None
    assert (found.place, found.value) == (place, b"v")
    assert log.record(Place(topic, 0, 7)) is None


def test_a_reader_that_stops_early_does_not_disturb_the_next(log: Log, topic: str) -> None:
    for number in range(10):
        log.append(Outgoing(topic=topic, key=None, value=b"%d" % number, partition=0))
    assert next(log.read({Partition(topic, 0): (0, 10)})).value == b"0"
    assert [record.value for record in log.read({Partition(topic, 0): (8, 10)})] == [b"8", b"9"]


def test_a_missing_topic_is_refused_and_a_silent_cluster_is_told(log: Log, port: int) -> None:
    with pytest.raises(ClusterRefused):
        log.append(Outgoing(topic="no-such-topic", key=None, value=b"v"))
    with Log(f"127.0.0.1:{port}", timeout=1.0) as away, pytest.raises(ClusterUnreachable):
        away.spans(["order-events"])


def test_a_client_that_failed_for_good_says_so_and_the_next_record_has_another() -> None:
    """Its poll raises, and whoever asked would get a bare error of the library."""
    with Chaos() as chaos, Log(chaos.bootstrap) as opened:
        chaos.topic("letters")
        chaos.fail("InitProducerId", KafkaError.CLUSTER_AUTHORIZATION_FAILED)
        with pytest.raises(ClusterRefused, match="Cluster authorization failed"):
            opened.append(Outgoing(topic="letters", key=None, value=b"v"))
        assert opened.append(Outgoing(topic="letters", key=None, value=b"v")).offset == 0
