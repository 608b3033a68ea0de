"""An operator's question outlives the moment in which a cluster finds itself again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from treaty_runtime.admin import Cluster, ClusterRefused, ClusterUnreachable, NoAuthorizer


def answers(*codes: int | None) -> Callable[[], str]:
    """Fails with each code in turn; None: answers."""
    left = list(codes)

    def ask() -> str:
        code = left.pop(0)
        if code is not None:
            raise KafkaException(KafkaError(code))
        return "answer"

    return ask


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def cluster(slept: list[float]) -> Cluster:
    return Cluster("127.0.0.1:1", timeout=0.2, sleep=slept.append)


def test_an_answer_of_a_cluster_in_motion_is_asked_for_again(cluster: Cluster, slept: list[float]) -> None:
    ask = answers(KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, None)
    assert cluster._again(ask) == "answer"
    assert len(slept) == 2


def test_a_client_that_has_not_heard_of_a_listed_topic_yet_is_asked_again(cluster: Cluster) -> None:
    assert cluster._again(answers(KafkaError._UNKNOWN_PARTITION, None)) == "answer"


def test_it_is_not_asked_for_ever(cluster: Cluster) -> None:
    with pytest.raises(ClusterRefused):
        cluster._again(answers(*[KafkaError.NOT_COORDINATOR] * 10))


def test_other_answers_are_told_at_once(cluster: Cluster, slept: list[float]) -> None:
    with pytest.raises(ClusterRefused, match="refused"):
        cluster._again(answers(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    with pytest.raises(ClusterUnreachable, match="does not answer"):
        cluster._again(answers(KafkaError._TRANSPORT))
    assert slept == []


class Listing(Cluster):
    """A cluster without any right, whose one broker tells these settings."""

    settings: Mapping[str, Any] = {}

    def _ask(self, call: Callable[[], Any]) -> Any:  # noqa: ARG002  # the name that it replaces
        return SimpleNamespace(brokers={1: None})

    def _settle(self, futures: Mapping[Any, Any]) -> dict[Any, Any]:
        return {key: [] if key == "" else self.settings for key in futures}


def test_only_an_authorizer_that_is_told_to_be_none_is_none() -> None:
    cluster = Listing("127.0.0.1:1", timeout=0.2)
    assert cluster.rights() == frozenset(), "a broker that does not say may well have one"
    cluster.settings = {"authorizer.class.name": SimpleNamespace(value="")}
    with pytest.raises(NoAuthorizer):
        cluster.rights()
    cluster.settings = {"authorizer.class.name": SimpleNamespace(value="org.example.Own")}
    assert cluster.rights() == frozenset()
