"""What the company's tests wait for is what the commands would say, also while more comes and for groups that never came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pytest
from confluent_kafka import Producer

from tests.e2e.lags import Lags, Silent
from tests.parts.waiting import wait_until
from treaty_runtime.admin import Cluster, ClusterRefused
from treaty_runtime.event import Partition
from treaty_runtime.kafka.groups import Groups

pytestmark = [pytest.mark.kafka]


def test_groups_are_as_far_behind_as_commands_say(kafka: str, unique: Callable[[str], str]) -> None:
    topic, other, group, idle = unique("read"), unique("alsoread"), unique("group"), unique("idle")
    groups = {group: [topic, other, unique("nowhere")], idle: [topic]}
    with Cluster(kafka) as cluster, Lags(kafka) as lags:
        for name in (topic, other):
            cluster.create(name, partitions=2, replication=1, config={})
        cluster.await_topics([topic, other])
        assert asked(lags, groups) == {group: 0, idle: 0}
        produce(kafka, topic, other)
        Groups(kafka).commit(group, {Partition(topic, 0): 3, Partition(other, 1): 1})
        assert asked(lags, groups) == {group: 2 + 5 + 5 + 4, idle: 10}
        assert asked(lags, groups) == {
            name: sum(cluster.lags(name, topics).values()) for name, topics in groups.items()
        }


def asked(lags: Lags, groups: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """The first answer: a coordinator that has only just begun refuses for a moment."""

    def left() -> dict[str, int] | None:
        try:
            return lags.left(groups)
        except (ClusterRefused, Silent):
            return None

    return wait_until(left)


def produce(kafka: str, *topics: str) -> None:
    """Five records for each of two partitions."""
    producer = Producer({"bootstrap.servers": kafka})
    for topic in topics:
        for number in range(10):
            producer.produce(topic, b"", partition=number % 2)
    assert producer.flush(180) == 0
