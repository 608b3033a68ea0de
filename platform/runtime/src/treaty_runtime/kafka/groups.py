"""Consumer groups as an operator sees and moves them: who is in, what is committed, and other offsets for a group that rests. Blocking."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from treaty_runtime.admin import PASSING, ClusterRefused, Complaints
from treaty_runtime.clock import EPOCH
from treaty_runtime.event import Partition
from treaty_runtime.kafka.log import TIMEOUT_SECONDS, cluster_fault

T = TypeVar("T")

_POLL_SECONDS = 0.05
_HAS_MEMBERS = frozenset(
    {
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.STALE_MEMBER_EPOCH,
    }
)
"""Answers of a coordinator whose group has members: only they may commit."""


class GroupHasMembers(ClusterRefused):
    """The group has members, and only they may move its offsets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One process of a group, with the partitions that it reads now."""

    id: str
    client: str
    host: str
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """A group as its coordinator describes it; ``state`` in Kafka's words (`STABLE`, `EMPTY`, `DEAD` …)."""

    name: str
    state: str
    members: tuple[Member, ...] = ()


class Groups:
    """The groups of a cluster. ``extra`` are librdkafka settings (security). Raises ``ClusterUnreachable`` and ``ClusterRefused``."""

    def __init__(
        self,
        bootstrap: str,
        *,
        extra: Mapping[str, Any] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.bootstrap = bootstrap
        self._complaints = Complaints()
        shared = {"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": self._complaints}
        self._settings = {**shared, **(extra or {})}
        self._timeout, self._sleep = timeout, sleep
        # Kept for the life of this object: an AdminClient that is garbage-collected fails its futures.
        self._admin = AdminClient(self._settings)

    def states(self) -> dict[str, str]:
        """Every group with its state."""
        return self._ask(self._states)

    def _states(self) -> dict[str, str]:
        listed = self._admin.list_consumer_groups(request_timeout=self._timeout).result()
        if listed.errors:  # a broker that did not answer may know groups that no other does
            raise KafkaException(listed.errors[0])
        return {group.group_id: group.state.name for group in sorted(listed.valid, key=lambda each: each.group_id)}

    def describe(self, name: str) -> GroupFacts:
        """One group with its members; a group that nobody knows is `DEAD`."""
        future = self._admin.describe_consumer_groups([name], request_timeout=self._timeout)[name]
        try:
            told = self._ask(future.result)
        except ClusterRefused as refused:
            cause = refused.__cause__
            if isinstance(cause, KafkaException) and cause.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return GroupFacts(name=name, state="DEAD")
            raise
        return GroupFacts(name=name, state=told.state.name, members=tuple(map(_member, told.members)))

    def committed(self, name: str, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """What the group committed; partitions without a commit are left out."""
        wanted = [TopicPartition(*partition) for partition in partitions]
        if not wanted:
            return {}
        # Read as a member would: the admin call for group offsets can end the whole process as the first group request.
        with self._client(name) as client:
            found = self._again(lambda: client.committed(wanted, timeout=self._timeout))
        return {Partition(place.topic, place.partition): place.offset for place in found if place.offset >= 0}

    def commit(self, name: str, offsets: Mapping[Partition, int]) -> None:
        """Moves a group that has no members to these offsets, all in one request; raises ``GroupHasMembers``."""
        wanted = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
        with self._client(name) as client:
            try:
                results = self._again(lambda: client.commit(offsets=wanted, asynchronous=False)) if wanted else []
            except ClusterRefused as refused:
                raise self._busy(name, refused) from refused
        for place in results or ():
            if place.error is not None:
                fault = cluster_fault(KafkaException(place.error), self.bootstrap)
                fault.__cause__ = KafkaException(place.error)
                raise self._busy(name, fault)

    def offsets_at(self, partitions: Iterable[Partition], at: datetime) -> dict[Partition, int]:
        """The first offset of each partition whose record is not older than an instant; its end, if all are older."""
        milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
        wanted = [TopicPartition(*partition, milliseconds) for partition in partitions]
        if not wanted:
            return {}
        with self._client("treaty-operator") as client:
            found = self._again(lambda: _without_errors(client.offsets_for_times(wanted, timeout=self._timeout)))
            return {
                Partition(place.topic, place.partition): place.offset if place.offset >= 0 else self._end(client, place)
                for place in found
            }

    def _end(self, client: Consumer, place: TopicPartition) -> int:
        partition = TopicPartition(place.topic, place.partition)
        _, high = self._again(lambda: client.get_watermark_offsets(partition, timeout=self._timeout))
        return int(high)

    def _busy(self, name: str, fault: Exception) -> Exception:
        cause = fault.__cause__
        if isinstance(cause, KafkaException) and cause.args[0].code() in _HAS_MEMBERS:
            return GroupHasMembers(f"Group {name} has members, and only they may move its offsets.")
        return fault

    @contextmanager
    def _client(self, name: str) -> Iterator[Consumer]:
        client = Consumer({**self._settings, "group.id": name, "enable.auto.commit": False})
        try:
            yield client
        finally:
            client.close()

    def _again(self, call: Callable[[], T]) -> T:
        """Asks until the answer is none of a cluster in motion, or for the time-out."""
        left = self._timeout
        while True:
            try:
                return self._ask(call)
            except ClusterRefused as refused:
                cause = refused.__cause__
                is_passing = isinstance(cause, KafkaException) and cause.args[0].code() in PASSING
                if not is_passing or left <= 0:
                    raise
            self._sleep(_POLL_SECONDS)
            left -= _POLL_SECONDS

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except KafkaException as error:
            self._admin.poll(0)
            raise self._complaints.judged(cluster_fault(error, self.bootstrap), self.bootstrap) from error


def _without_errors(found: list[TopicPartition]) -> list[TopicPartition]:
    """In an election the client answers, and only a partition's error tells that its offset is none."""
    for place in found:
        if place.error is not None:
            raise KafkaException(place.error)
    return found


def _member(told: Any) -> Member:
    held = told.assignment.topic_partitions if told.assignment is not None else ()
    return Member(
        id=told.member_id,
        client=told.client_id,
        host=told.host,
        partitions=tuple(sorted(Partition(place.topic, place.partition) for place in held)),
    )
