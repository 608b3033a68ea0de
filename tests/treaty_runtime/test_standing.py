"""When a Kafka client counts as stuck: judged from librdkafka's statistics, without a broker."""

from __future__ import annotations

import json

from treaty_runtime.kafka.standing import Standing


def statistics(*brokers: tuple[str, str]) -> str:
    return json.dumps({"brokers": {str(n): {"source": each[0], "state": each[1]} for n, each in enumerate(brokers)}})


COORDINATOR_ONLY = statistics(("logical", "UP"), ("learned", "INIT"))
NONE = statistics(("logical", "TRY_CONNECT"), ("learned", "INIT"))
WELL = statistics(("logical", "UP"), ("learned", "UP"))


def test_a_client_without_any_broker_is_stuck_after_the_patience() -> None:
    standing = Standing(patience=15)
    assert not standing.is_stuck(NONE, now=100, needs_partitions=False)
    assert not standing.is_stuck(NONE, now=114.9, needs_partitions=False)
    assert standing.is_stuck(NONE, now=115, needs_partitions=False)


def test_one_good_answer_begins_the_patience_anew() -> None:
    standing = Standing(patience=15)
    assert not standing.is_stuck(NONE, now=100, needs_partitions=True)
    assert not standing.is_stuck(WELL, now=110, needs_partitions=True)
    assert not standing.is_stuck(NONE, now=115, needs_partitions=True)
    assert not standing.is_stuck(NONE, now=129, needs_partitions=True)
    assert standing.is_stuck(NONE, now=130, needs_partitions=True)


def test_the_coordinator_alone_is_enough_only_for_a_member_without_partitions() -> None:
    idle, busy = Standing(patience=15), Standing(patience=15)
    for now in (0, 20, 40):
        assert not idle.is_stuck(COORDINATOR_ONLY, now=now, needs_partitions=False)
        assert busy.is_stuck(COORDINATOR_ONLY, now=now, needs_partitions=True) == (now > 0)


def test_a_client_that_knows_no_broker_at_all_is_stuck_too() -> None:
    standing = Standing(patience=0)
    assert standing.is_stuck(statistics(), now=1, needs_partitions=False)


def test_a_client_says_whether_a_broker_answered_last() -> None:
    standing = Standing(patience=15)
    standing.is_stuck(NONE, now=100, needs_partitions=False)
    assert not standing.has_broker
    standing.is_stuck(WELL, now=101, needs_partitions=False)
    assert standing.has_broker
