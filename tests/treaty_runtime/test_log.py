"""An operator reads a topic between two offsets and adds to it, on a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError

from tests.parts.secured_kafka import GuardedKafka
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


@pytest.mark.parametrize("number", [2, -1, 1 << 31, 99_999_999_999])
def test_a_partition_that_is_not_there_holds_no_record(log: Log, topic: str, number: int) -> None:
    assert log.record(Place(topic, number, 0)) is None


@pytest.mark.parametrize("name", ["no-such-topic", "", "no topic!", "x" * 250, "\udcff"])
def test_a_topic_that_is_not_there_holds_no_record(log: Log, name: str) -> None:
    """Some of these names are no topic's, but an operator may type them, and a stranger's header may name them."""
    assert log.record(Place(name, 0, 0)) is None


def test_a_name_is_not_cut_to_that_of_a_topic_that_is_there(log: Log, topic: str) -> None:
    place = log.append(Outgoing(topic=topic, key=b"k", value=b"v", partition=0))
    assert log.record(place) is not None
    assert log.record(place._replace(topic=f"{topic}\0x")) is None


def test_a_topic_that_is_named_and_hidden_is_refused_where_it_was_left_out(guarded: GuardedKafka) -> None:
    """Else what operators noted is taken for nothing, and a letter that was discarded is sent."""
    with Cluster(guarded.bootstrap) as cluster:
        cluster.create("hidden-spans", partitions=1, replication=1, config={})
        cluster.await_topics(["hidden-spans"])
    extra = guarded.client("stranger")
    with Log(extra.pop("bootstrap.servers"), extra=extra) as strangers:
        for ask in (strangers.spans, strangers.partitions):
            with pytest.raises(ClusterRefused, match="see topic hidden-spans"):
                ask(["hidden-spans"])
        assert "hidden-spans" not in {each.topic for each in strangers.partitions()}


@pytest.mark.parametrize("names", [[], ["no-such-topic", "", "no topic!", "x" * 250, "\udcff"]])
def test_topics_that_are_not_there_have_no_spans(log: Log, names: list[str]) -> None:
    assert log.spans(names) == {}


def test_a_topic_that_we_may_not_see_is_refused_and_not_called_empty(guarded: GuardedKafka) -> None:
    """Else its dead letters are discarded, while the bytes of them are there."""
    with Cluster(guarded.bootstrap) as cluster:
        cluster.create("hidden", partitions=1, replication=1, config={})
        cluster.await_topics(["hidden"])
    extra = guarded.client("stranger")
    with Log(extra.pop("bootstrap.servers"), extra=extra) as strangers, pytest.raises(ClusterRefused, match="authoriz"):
        strangers.record(Place("hidden", 0, 0))


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
