"""What the group committed is known before its records are read: a coordinator that is slow to say it is asked again."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from treaty_runtime.event import Partition
from treaty_runtime.kafka import KafkaSource
from treaty_runtime.kafka import source as kafka_source
from treaty_runtime.transport import Position

DEATHS = TopicPartition("orders", 0, 17, "d3")
LATE = KafkaException(KafkaError(KafkaError._TIMED_OUT, "the coordinator is slow"))


class Coordinator:
    """Answers one after the other; the last one always."""

    def __init__(self, *answers: KafkaException | list[Any]) -> None:
        self._answers, self.asked = list(answers), 0

    def committed(self, _partitions: list[Any], **_: float) -> list[Any]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, KafkaException):
            raise answer
        return answer


class Refused:
    """A partition of an answer that holds an error."""

    topic, partition, offset, metadata = "orders", 0, -1001, None
    error = KafkaError(KafkaError.NOT_COORDINATOR)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_source, "_LAST_COMMIT_PAUSE", 0.01)
    monkeypatch.setattr(kafka_source, "_KNOWN_SECONDS", 0.1)


@pytest.mark.parametrize("first", [LATE, [Refused()]], ids=["no answer", "an answer that is an error"])
def test_how_often_a_record_ended_its_process_is_not_forgotten_by_a_slow_answer(first: Any) -> None:
    coordinator = Coordinator(first, first, [DEATHS])
    known = KafkaSource({}, topics=["orders"])._committed(coordinator, [DEATHS])
    assert known == {Partition("orders", 0): Position(17, "d3")}
    assert coordinator.asked == 3


def test_a_coordinator_that_never_says_it_is_left_to_another_client() -> None:
    source = KafkaSource({}, topics=["orders"])
    with pytest.raises(KafkaException, match="slow"):
        source._committed(Coordinator(LATE), [DEATHS])
    assert source._last_error is not None


def test_whoever_gets_nothing_asks_nobody() -> None:
    coordinator = Coordinator([DEATHS])
    assert KafkaSource({}, topics=["orders"])._committed(coordinator, []) == {}
    assert coordinator.asked == 0
