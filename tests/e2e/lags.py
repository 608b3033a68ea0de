"""How far consumer groups are behind, asked again and again: by clients that stay open, and for all partitions at once.

A client for each look and group, and two questions for each partition, took several hundred requests and threads a look; whoever waits for
the end of something looks many times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from treaty_runtime.event import Partition
from treaty_runtime.kafka.log import TIMEOUT_SECONDS, Log

RECONNECT_MS = 500
"""The longest pause before a broker is tried again; the client's own ten seconds would be waited for after each outage."""


class Silent(Exception):
    """A group's coordinator did not say what the group has committed."""


class Lags:
    """Use as a context manager. Its clients join no group and commit nothing."""

    def __init__(self, brokers: str) -> None:
        self._settings = {"bootstrap.servers": brokers, "reconnect.backoff.max.ms": RECONNECT_MS, "log_level": 0}
        self._log = Log(brokers, extra={"reconnect.backoff.max.ms": RECONNECT_MS})
        self._clients: dict[str, Consumer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            client.close()
        self._log.__exit__(kind, error, trace)

    def left(self, groups: Mapping[str, Iterable[str]]) -> dict[str, int]:
        """Records after what each group has committed in its topics; topics that do not exist are left out.

        What is committed is read before the ends: a group that went on meanwhile looks behind, never the other way round.
        Raises ``ClusterUnreachable``, ``ClusterRefused`` and ``Silent``.
        """
        partitions = self._log.partitions([topic for topics in groups.values() for topic in topics])
        of_topic: dict[str, list[Partition]] = {}
        for partition in partitions:
            of_topic.setdefault(partition.topic, []).append(partition)
        committed = {
            group: self._committed(group, [each for topic in topics for each in of_topic.get(topic, ())])
            for group, topics in groups.items()
        }
        spans = self._log.spans(of_topic)
        return {
            group: sum(max(0, spans[place][1] - max(offset, spans[place][0])) for place, offset in offsets.items())
            for group, offsets in committed.items()
        }

    def _committed(self, group: str, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Offsets, -1 without a commit: read as a member would, for the admin call can end the whole process."""
        if group not in self._clients:
            self._clients[group] = Consumer({**self._settings, "group.id": group, "enable.auto.commit": False})
        asked = [TopicPartition(*partition) for partition in partitions]
        try:
            told = self._clients[group].committed(asked, timeout=TIMEOUT_SECONDS) if asked else []
        except KafkaException as fault:
            raise Silent(f"{group}: {fault}") from fault
        return {Partition(place.topic, place.partition): max(-1, place.offset) for place in told}
