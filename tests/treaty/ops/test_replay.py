"""A replay decided step by step, on a cluster of lists: killed between any two steps, stopped by failures, led by a canary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from tests.treaty.ops.burying import GROUP, buried
from treaty.errors import UsageError
from treaty.ops.dead_letters.index import DeadLetters
from treaty.ops.dead_letters.replay import Pace, Report, choose, replay
from treaty.ops.dead_letters.states import State
from treaty.ops.journal import Journal
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.headers import first_values

DLQ, RETRY = "dlq.order", f"retry.{GROUP}.0s"
NOW = datetime(2026, 3, 4, tzinfo=UTC)


class Killed(BaseException):
    """The process ended here."""


class Lists:
    """Topics of one partition each. ``fails`` says whether the group's handler fails on a record that is replayed."""

    def __init__(self, letters: int, *, fails: Callable[[Record], bool] = lambda _record: False) -> None:
        self.records: dict[str, list[Record]] = defaultdict(list)
        self.records[RETRY] = []
        self.fails, self.is_consumed, self.lives = fails, True, 10_000
        for number in range(letters):
            self.append(buried(number + 1, topic=DLQ))

    def dead_letters(self) -> DeadLetters:
        journal = Journal(cast("Any", self), cast("Any", self), by="ann")
        return DeadLetters(cast("Any", self), cast("Any", self), journal, topics=[DLQ])

    def ids(self, topic: str) -> list[int]:
        return [int(first_values(record.headers)[names.ID].decode()[-4:]) for record in self.records[topic]]

    # what a log answers

    def topics(self) -> list[str]:
        return sorted(self.records)

    def spans(self, topics: Iterable[str]) -> dict[Partition, tuple[int, int]]:
        return {Partition(topic, 0): (0, len(self.records[topic])) for topic in topics if topic in self.records}

    def read(self, spans: Mapping[Partition, tuple[int, int]]) -> Iterator[Record]:
        for partition, (start, end) in spans.items():
            yield from self.records[partition.topic][start:end]

    def append(self, sent: Outgoing) -> Place:
        self._live()
        place = Place(sent.topic, 0, len(self.records[sent.topic]))
        record = Record(place, sent.key, sent.value, sent.headers, 1_000)
        self.records[sent.topic].append(record)
        if sent.topic == RETRY and self.fails(record):
            self.append(buried(0, topic=DLQ, source=record))
        self._live()
        return place

    def _live(self) -> None:
        """Each record may be the last thing that this process does."""
        self.lives -= 1
        if self.lives < 0:
            raise Killed

    # what groups and a cluster answer

    def committed(self, _group: str, partitions: Iterable[Partition]) -> dict[Partition, int]:
        return {each: len(self.records[each.topic]) if self.is_consumed else 0 for each in partitions}

    def brokers(self) -> list[str]:
        return ["one"]

    def create(self, name: str, **_wanted: object) -> bool:
        return name not in self.records

    def await_topics(self, _names: Iterable[str]) -> None:
        """They are there."""


def run(cluster: Lists, *, rate: int = 500, is_canary: bool = False, wait: int = 0) -> Report:
    dead_letters, clock = cluster.dead_letters(), [NOW]

    def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)

    plan = choose(dead_letters.look(), dead_letters.standings())
    pace = Pace(rate=rate, wait=timedelta(seconds=wait), now=lambda: clock[0], sleep=sleep)
    return replay(plan, dead_letters, run="r", reason="", pace=pace, is_canary=is_canary, told=lambda *_: None)


@pytest.mark.parametrize("lives", range(25))
def test_killed_between_any_two_steps_and_run_again_all_are_sent_in_order(lives: int) -> None:
    cluster = Lists(5)
    cluster.lives = lives
    try:
        run(cluster)
    except Killed:
        cluster.lives = 10_000
        run(cluster)
    sent = cluster.ids(RETRY)
    assert list(dict.fromkeys(sent)) == [1, 2, 3, 4, 5]
    assert len(sent) <= 6, "one record at most is in doubt"
    cluster.lives = 10_000
    assert run(cluster).sent == ()


def test_five_failures_in_a_row_stop_it() -> None:
    report = run(Lists(20, fails=lambda _record: True), rate=1)
    assert (len(report.sent), report.stopped) == (5, "5 in a row failed again")
    assert report.count(State.FAILED_AGAIN) == 5


def test_they_stop_a_fast_one_after_fifty() -> None:
    report = run(Lists(400, fails=lambda _record: True), rate=500)
    assert (len(report.sent), report.stopped) == (50, "5 in a row failed again")


def test_failures_among_successes_do_not() -> None:
    report = run(Lists(20, fails=lambda record: record.place.offset % 2 == 0), rate=1)
    assert (len(report.sent), report.stopped) == (20, "")
    assert (report.count(State.PROCESSED), report.count(State.FAILED_AGAIN)) == (10, 10)


def test_a_canary_that_is_processed_lets_the_others_follow() -> None:
    report = run(Lists(3), is_canary=True, wait=5)
    assert (len(report.sent), report.stopped, report.count(State.PROCESSED)) == (3, "", 3)


def test_a_canary_that_fails_again_keeps_the_others_back() -> None:
    report = run(Lists(3, fails=lambda _record: True), is_canary=True, wait=5)
    assert (len(report.sent), report.stopped) == (1, "the first one is failed again")


def test_what_its_group_has_still_before_it_is_not_called_processed() -> None:
    cluster = Lists(2)
    cluster.is_consumed = False
    assert run(cluster, wait=3).count(State.REPLAYING) == 2


@pytest.mark.parametrize("rate", [0, 501])
def test_a_rate_has_bounds(rate: int) -> None:
    with pytest.raises(UsageError, match="1 to 500"):
        run(Lists(1), rate=rate)
