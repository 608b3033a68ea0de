"""What an operator asks of a cluster: topics, their settings, groups and their lag. Blocking; for commands, not for services."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic

from treaty_runtime.rights import EVERY, Right, binding_of, filter_of, right_of

T = TypeVar("T")

TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.05

AWAY = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError.REQUEST_TIMED_OUT,
    }
)
PASSING = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError._UNKNOWN_PARTITION,  # a new client's own word, before it has heard of a topic that was just listed
        KafkaError._DESTROY,  # as above, while the cluster's own addresses take the place of the one it was given
    }
)
"""Answers of a cluster that has just lost or found a broker: the same question gets another answer a moment later."""


_NOT_LET_IN = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
    }
)


class ClusterUnreachable(Exception):
    """The Kafka cluster did not answer."""


class ClusterRefused(Exception):
    """The Kafka cluster refused the request."""


class Complaints:
    """Why a cluster lets a client not in: clients only say later that it did not answer. To be their ``error_cb``."""

    def __init__(self) -> None:
        self.text: str | None = None

    def __call__(self, error: KafkaError) -> None:
        """Keeps what is about identity or trust; everything else passes."""
        if error.code() in _NOT_LET_IN:
            self.text = error.str()

    def judged(self, fault: Exception, bootstrap: str) -> Exception:
        """The fault, or why we were not let in, if that is behind it."""
        if self.text is None or not isinstance(fault, ClusterUnreachable):
            return fault
        return ClusterRefused(f"Kafka at {bootstrap} does not let us in: {self.text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFacts:
    """A topic as the cluster has it; ``config`` holds every effective setting, values as text."""

    partitions: int
    replication: int
    config: Mapping[str, str] = field(default_factory=dict)


class NoAuthorizer(ClusterRefused):
    """The brokers have no authorizer, so nobody checks rights."""


class Cluster:
    """One connection to a cluster. ``extra`` are librdkafka settings (security). Use as a context manager."""

    def __init__(
        self,
        bootstrap: str,
        *,
        extra: Mapping[str, Any] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sleep = sleep
        self._complaints = Complaints()
        shared = {"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": self._complaints}
        self._settings = {**shared, **(extra or {})}
        self._timeout = timeout
        self.bootstrap = bootstrap
        # Kept for the life of this object: an AdminClient that is garbage-collected fails its futures.
        self._admin = AdminClient(self._settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admin.poll(0)

    def brokers(self) -> list[str]:
        """``host:port`` that each broker advertises to clients. Raises ``ClusterUnreachable``."""
        listed = self._ask(lambda: self._admin.list_topics(timeout=self._timeout)).brokers
        return [f"{broker.host}:{broker.port}" for broker in listed.values()]

    def topics(self) -> dict[str, TopicFacts]:
        """Every topic with its effective settings. Raises ``ClusterUnreachable``."""
        listed = self._ask(lambda: self._admin.list_topics(timeout=self._timeout)).topics
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in listed]
        configs = (
            self._settle(self._admin.describe_configs(resources, request_timeout=self._timeout)) if resources else {}
        )
        by_name = {
            resource.name: {k: str(e.value) for k, e in entries.items()} for resource, entries in configs.items()
        }
        return {
            name: TopicFacts(
                partitions=len(topic.partitions),
                replication=max((len(p.replicas) for p in topic.partitions.values()), default=0),
                config=by_name.get(name, {}),
            )
            for name, topic in listed.items()
        }

    def create(self, name: str, *, partitions: int, replication: int, config: Mapping[str, str]) -> bool:
        """Creates a topic; False if it was there already."""
        ((_, made),) = self.create_all(
            {name: TopicFacts(partitions=partitions, replication=replication, config=config)}
        )
        return made

    def create_all(self, wanted: Mapping[str, TopicFacts]) -> Iterator[tuple[str, bool]]:
        """Creates topics by one request, which takes hardly longer than for one topic; each name, and False if it was there already.

        Raises at the first topic that is refused: those yielded before it are made, those after it may be.
        """
        topics = [
            NewTopic(
                name, num_partitions=want.partitions, replication_factor=want.replication, config=dict(want.config)
            )
            for name, want in wanted.items()
        ]
        for name, future in self._admin.create_topics(topics, request_timeout=self._timeout).items():
            try:
                self._settle({name: future})
            except ClusterRefused as refused:
                if cause_code(refused) != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
                yield name, False
            else:
                yield name, True

    def await_topics(self, names: Iterable[str]) -> None:
        """Returns when every topic has a leader for each partition: a created topic reaches the metadata a moment later.

        Raises ``ClusterUnreachable`` when that takes longer than the time-out.
        """
        waiting, left = set(names), self._timeout
        while waiting:
            listed = self._ask(lambda: self._admin.list_topics(timeout=self._timeout)).topics
            waiting -= {name for name, topic in listed.items() if all(p.leader >= 0 for p in topic.partitions.values())}
            if waiting and left <= 0:
                raise ClusterUnreachable(
                    f"Kafka at {self.bootstrap} has no leader yet for {', '.join(sorted(waiting))}"
                )
            if waiting:
                self._sleep(POLL_SECONDS)
                left -= POLL_SECONDS

    def await_gone(self, names: Iterable[str]) -> None:
        """Returns when no broker lists any of the topics: a deleted one stays in the metadata a moment longer.

        Raises ``ClusterUnreachable`` when that takes longer than the time-out.
        """
        waiting, left = set(names), self._timeout
        while waiting:
            waiting &= self._ask(lambda: self._admin.list_topics(timeout=self._timeout)).topics.keys()
            if waiting and left <= 0:
                raise ClusterUnreachable(f"Kafka at {self.bootstrap} still has {', '.join(sorted(waiting))}")
            if waiting:
                self._sleep(POLL_SECONDS)
                left -= POLL_SECONDS

    def delete(self, name: str) -> bool:
        """Deletes a topic with all its records; False if there was none."""
        try:
            self._settle(self._admin.delete_topics([name], request_timeout=self._timeout))
        except ClusterRefused as refused:
            if cause_code(refused) != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
            return False
        return True

    def alter(self, name: str, config: Mapping[str, str]) -> None:
        """Sets the given settings of a topic and leaves all others as they are."""
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in config.items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)
        self._settle(self._admin.incremental_alter_configs([resource], request_timeout=self._timeout))

    def add_partitions(self, name: str, total: int) -> None:
        """Raises the number of partitions to ``total``; keys move to other partitions."""
        self._settle(self._admin.create_partitions([NewPartitions(name, total)], request_timeout=self._timeout))

    def rights(self) -> frozenset[Right]:
        """The access control list. Raises ``NoAuthorizer`` where the brokers keep none."""
        with self._checking():
            (found,) = self._settle({"": self._admin.describe_acls(EVERY, request_timeout=self._timeout)}).values()
        if not found and self._authorizer() == "":
            # The client drops the broker's word for this and answers with an empty list.
            raise self._no_authorizer()
        return frozenset(map(right_of, found))

    def _authorizer(self) -> str | None:
        """The class that checks rights, by the settings of one broker; "" for none, None where the broker does not say."""
        listed = self._ask(lambda: self._admin.list_topics(timeout=self._timeout)).brokers
        resource = ConfigResource(ConfigResource.Type.BROKER, str(min(listed)))
        (told,) = self._settle(self._admin.describe_configs([resource], request_timeout=self._timeout)).values()
        entry = told.get("authorizer.class.name")
        return str(entry.value or "") if entry is not None else None

    def allow(self, rights: Iterable[Right]) -> None:
        """Gives rights; those that are there already stay as they are."""
        with self._checking():
            self._settle(self._admin.create_acls([*map(binding_of, rights)], request_timeout=self._timeout))

    def disallow(self, rights: Iterable[Right]) -> None:
        """Takes rights; those that are gone already are no fault."""
        with self._checking():
            self._settle(self._admin.delete_acls([*map(filter_of, rights)], request_timeout=self._timeout))

    def await_rights(self, given: Collection[Right], taken: Collection[Right]) -> None:
        """Returns when the list says what was given and taken: a broker hears of it a moment after the controller.

        Raises ``ClusterUnreachable`` when that takes longer than the time-out.
        """
        left = self._timeout
        while True:
            found = self.rights()
            if found.issuperset(given) and found.isdisjoint(taken):
                return
            if left <= 0:
                raise ClusterUnreachable(f"Kafka at {self.bootstrap} does not list yet what was given and taken")
            self._sleep(POLL_SECONDS)
            left -= POLL_SECONDS

    @contextmanager
    def _checking(self) -> Iterator[None]:
        try:
            yield
        except ClusterRefused as refused:
            if cause_code(refused) != KafkaError.SECURITY_DISABLED:
                raise
            raise self._no_authorizer() from refused

    def _no_authorizer(self) -> NoAuthorizer:
        return NoAuthorizer(f"Kafka at {self.bootstrap} has no authorizer: whoever connects may do everything.")

    def lags(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """Records after the committed offset, by (topic, partition); partitions without a commit count from the oldest.

        Committed offsets are read before the ends, so that a lag is never negative by a race; it is clamped at 0 anyway.
        """
        listed = self._ask(lambda: self._admin.list_topics(timeout=self._timeout)).topics
        places = [
            TopicPartition(topic, number) for topic in topics if topic in listed for number in listed[topic].partitions
        ]
        # Read as a member would: the admin call for group offsets can end the whole process as the first group request.
        consumer = Consumer({**self._settings, "group.id": group, "enable.auto.commit": False})
        try:
            committed = self._again(partial(consumer.committed, places, timeout=self._timeout)) if places else []
            lags = {}
            for place in committed:
                low, high = self._again(partial(consumer.get_watermark_offsets, place, timeout=self._timeout))
                lags[place.topic, place.partition] = max(0, high - (place.offset if place.offset >= 0 else low))
            return lags
        finally:
            consumer.close()

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except KafkaException as error:
            self._admin.poll(0)
            raise self._complaints.judged(self._fault(error), self.bootstrap) from error

    def _again(self, call: Callable[[], T]) -> T:
        """Asks until the answer is none of ``PASSING``, or for the time-out."""
        left = self._timeout
        while True:
            try:
                return self._ask(call)
            except ClusterRefused as refused:
                if cause_code(refused) not in PASSING or left <= 0:
                    raise
            self._sleep(POLL_SECONDS)
            left -= POLL_SECONDS

    def _settle(self, futures: Mapping[Any, Future[T]]) -> dict[Any, T]:
        return {key: self._ask(partial(future.result, self._timeout + 5)) for key, future in futures.items()}

    def _fault(self, error: KafkaException) -> Exception:
        detail = error.args[0]
        if isinstance(detail, KafkaError) and detail.code() in AWAY:
            return ClusterUnreachable(f"Kafka at {self.bootstrap} does not answer: {detail.str()}")
        return ClusterRefused(
            f"Kafka at {self.bootstrap} refused: {detail.str() if isinstance(detail, KafkaError) else detail}"
        )


def cause_code(error: Exception) -> int | None:
    """The Kafka error code behind one of our errors."""
    cause = error.__cause__
    if isinstance(cause, KafkaException) and isinstance(cause.args[0], KafkaError):
        return int(cause.args[0].code())
    return None
