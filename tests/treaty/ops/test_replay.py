"""A replay decided step by step, on a cluster of lists: killed between any two steps, stopped by failures, led by a canary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from tests.treaty.ops.burying import GROUP, buried, original
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops.dead_letters.index import DeadLetters
from treaty.ops.dead_letters.replay import Pace, Report, choose, replay
from treaty.ops.dead_letters.shelve import left_to
from treaty.ops.dead_letters.states import State
from treaty.ops.journal import TOPIC, Journal
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
        self.deleted: dict[str, int] = {}
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
        return {
            Partition(topic, 0): (self.deleted.get(topic, 0), len(self.records[topic]))
            for topic in topics
            if topic in self.records
        }

    def read(self, spans: Mapping[Partition, tuple[int, int]]) -> Iterator[Record]:
        for partition, (start, end) in spans.items():
            yield from self.records[partition.topic][start:end]

    def record(self, place: Place) -> Record | None:
        return next((each for each in self.records.get(place.topic, []) if each.place == place), None)

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


def pointers(*kept: int) -> Lists:
    """Five letters, of which the second and the fourth are pointers; the original topic holds the records of ``kept`` only."""
    cluster = Lists(0)
    for number in range(1, 6):
        cluster.append(buried(number, topic=DLQ, limit=0 if number in {2, 4} else 1_000_000))
    cluster.records["order-events"] = [original(number, value=b"large") for number in kept]
    return cluster


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


def test_a_copy_that_retention_deleted_before_its_group_came_is_sent_again_by_its_place_only() -> None:
    cluster = Lists(3)
    cluster.is_consumed = False
    run(cluster)
    cluster.deleted[RETRY] = 2
    dead_letters = cluster.dead_letters()
    letters, known = dead_letters.look(), dead_letters.standings()
    assert [known[letter.place].state for letter in letters] == [State.UNREAD, State.UNREAD, State.REPLAYING]
    for fingerprint in (None, letters[0].fingerprint):
        plan = choose(letters, known, fingerprint=fingerprint)
        assert (plan.letters, plan.refused) == ((), ()), "a group whose commits have expired looks the same"
    plan = choose(letters, known, places=[letters[0].place, letters[2].place])
    assert (plan.letters, [each.why for each in plan.refused]) == ((letters[0],), ["it is replaying"])
    assert left_to("discard", [letters[1]], known) == [letters[1]]
    pace = Pace(rate=500, wait=timedelta(0), now=lambda: NOW, sleep=lambda _: None)
    replay(plan, dead_letters, run="r", reason="", pace=pace, is_canary=False, told=lambda *_: None)
    cluster.is_consumed = True
    after = cluster.dead_letters().standings()
    assert [after[letter.place].state for letter in letters] == [State.PROCESSED, State.UNREAD, State.PROCESSED], (
        "although its group has committed behind it by now"
    )
    del cluster.records[RETRY]
    assert cluster.dead_letters().standings()[letters[1].place].state is State.UNREAD


def test_who_may_not_write_notes_sends_nothing() -> None:
    cluster = Lists(3)
    append = cluster.append

    def refuse(sent: Outgoing) -> Place:
        if sent.topic == TOPIC:
            raise EnvironmentFault("TOPIC_AUTHORIZATION_FAILED", next_step="ask for the right")
        return append(sent)

    cluster.append = refuse  # type: ignore[method-assign]  # a broker with an authorizer
    with pytest.raises(EnvironmentFault, match="TOPIC_AUTHORIZATION_FAILED"):
        run(cluster)
    assert cluster.ids(RETRY) == []


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


def test_pointers_without_bytes_are_left_and_keep_back_no_other() -> None:
    cluster = pointers(4)
    dead_letters = cluster.dead_letters()
    (left,) = choose(dead_letters.look(), dead_letters.standings()).refused
    assert (left.letter.place.offset, left.why) == (1, "the bytes are gone: there is no record at order-events/0/2")
    assert len(run(cluster).sent) == 4
    assert cluster.ids(RETRY) == [1, 3, 4, 5]
    assert cluster.records[RETRY][2].value == b"large"


def test_another_event_is_not_sent_under_a_pointers_name() -> None:
    """The topic was made anew, and counts from zero again."""
    cluster = pointers(2, 4)
    place = Place("order-events", 0, 2)
    cluster.records["order-events"][0] = Record(place, b"bob", b"bob's", original(7, value=b"").headers)
    dead_letters = cluster.dead_letters()
    (left,) = choose(dead_letters.look(), dead_letters.standings()).refused
    assert (left.letter.place.offset, left.why) == (1, "the bytes are gone: another event lies at order-events/0/2")
    run(cluster)
    assert cluster.ids(RETRY) == [1, 3, 4, 5]


def test_a_pointer_of_an_event_without_an_id_is_fetched_by_its_place_alone() -> None:
    cluster = Lists(0)
    source = Record(Place("order-events", 0, 0), b"k", b"large")
    cluster.append(buried(0, topic=DLQ, source=source, limit=0))
    cluster.records["order-events"] = [source]
    assert len(run(cluster).sent) == 1


def test_bytes_that_go_after_the_choice_are_told_with_a_next_step() -> None:
    cluster = pointers(2, 4)
    dead_letters = cluster.dead_letters()
    plan = choose(dead_letters.look(), dead_letters.standings())
    cluster.records["order-events"].clear()
    pace = Pace(rate=500, wait=timedelta(), now=lambda: NOW, sleep=lambda _seconds: None)
    with pytest.raises(EnvironmentFault, match=r"^dlq\.order/0/1 cannot be sent: the bytes are gone") as fault:
        replay(plan, dead_letters, run="r", reason="", pace=pace, is_canary=False, told=lambda *_: None)
    assert fault.value.next_step == "treaty dlq discard dlq.order/0/1 --reason 'expired'"


@pytest.mark.parametrize("rate", [0, 501])
def test_a_rate_has_bounds(rate: int) -> None:
    with pytest.raises(UsageError, match="1 to 500"):
        run(Lists(1), rate=rate)
