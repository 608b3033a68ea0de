"""What a watched process does at its points: dies, stops and goes on, or lets a call fail once."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from confluent_kafka import KafkaException

from tests.parts.waiting import wait_until
from tests.reliability import operators
from tests.reliability.clients import kind_of, lost
from tests.reliability.doors import Doors
from tests.reliability.member import Member

POINT = "before COMMIT"
strikes = pytest.mark.chaos
"""These start the server that lives are forked from, which the runs of `test_kills` have anyway."""
pytestmark = pytest.mark.xdist_group("reliability")


def cross_twice(doors: Doors) -> None:
    doors.cross("COMMIT", "before")
    doors.cross("COMMIT", "after")


def member_at(doors: Doors) -> Member:
    member = Member(cross_twice)
    member.start(doors)
    return member


@strikes
def test_a_process_dies_at_its_point(tmp_path: Path) -> None:
    doors = Doors(tmp_path / "seen", strikes=POINT)
    assert member_at(doors).stopped() == -signal.SIGKILL
    assert doors.passed() == [POINT]


@strikes
def test_a_process_that_is_stopped_at_its_point_goes_on_when_it_is_let(tmp_path: Path) -> None:
    doors = Doors(tmp_path / "seen", strikes=POINT, mode="stop")
    member = member_at(doors)
    wait_until(lambda: doors.passed() == [POINT])
    assert member.is_alive
    member.thaw()
    assert member.stopped() == 0
    assert doors.passed() == [POINT, "after COMMIT"]


def test_each_call_fails_once_on_each_side(tmp_path: Path) -> None:
    doors = Doors(tmp_path / "seen", fails=True, of="treaty dlq replay: ")
    for side in ("before", "after"):
        with pytest.raises(KafkaException):
            doors.cross("Kafka ends", side, lost)
        doors.cross("Kafka ends", side, lost)
    assert doors.passed() == ["before treaty dlq replay: Kafka ends", "after treaty dlq replay: Kafka ends"]


def test_a_question_that_fails_is_answered_by_futures_that_do(tmp_path: Path) -> None:
    doors = Doors(tmp_path / "seen", fails=True)
    client = operators.admin(doors.cross)({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    answers = client.describe_consumer_groups(["orders"])
    with pytest.raises(KafkaException):
        answers["orders"].result()


def test_copies_have_points_of_their_own() -> None:
    topics = ("run-1.orders", "retry.run-1-second.100ms", "run-1.dlq", "_treaty_control")
    assert [kind_of(topic) for topic in topics] == ["", " copy to be retried", " dead letter", " answer to an operator"]
