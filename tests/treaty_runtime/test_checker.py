"""The history checker names what is wrong, and only that."""

from __future__ import annotations

import json

import pytest

from treaty_runtime.event import Place
from treaty_runtime.testing.checker import Entry, check, read


def at(offset: int) -> Place:
    return Place("orders", 0, offset)


def stage(event_id: str, sequence: int = 0, outcome: str = "ok", t: float = 0) -> Entry:
    return Entry(t=t, process="p", op="stage", key="k", sequence=sequence, event_id=event_id, outcome=outcome)


def record(event_id: str, offset: int, sequence: int = 0, t: float = 1) -> Entry:
    return Entry(t=t, process="log", op="record", key="k", sequence=sequence, event_id=event_id, place=at(offset))


def effect(event_id: str, sequence: int = 0, t: float = 2) -> Entry:
    return Entry(t=t, process="c", op="effect", key="k", sequence=sequence, event_id=event_id)


def poll(event_id: str, offset: int, t: float) -> Entry:
    return Entry(t=t, process="c", op="poll", event_id=event_id, place=at(offset))


def commit(offset: int, t: float) -> Entry:
    return Entry(t=t, process="c", op="commit", place=at(offset))


GOOD = [
    stage("a", 1),
    stage("b", 2),
    record("a", 0, 1),
    record("b", 1, 2),
    effect("a", 1, 2),
    effect("b", 2, 3),
    commit(2, 4),
]


def test_a_good_history_has_no_verdict() -> None:
    assert check(GOOD) == []


@pytest.mark.parametrize(
    ("history", "name", "events"),
    [
        ([stage("a")], "lost-write", ("a",)),
        ([record("a", 0)], "unseen", ("a",)),
        ([stage("a", outcome="rolled-back"), record("a", 0), effect("a")], "phantom", ("a",)),
        ([record("a", 0), record("a", 1), effect("a")], "duplicate", ("a",)),
        ([record("a", 0), effect("a"), effect("a", t=3)], "double-effect", ("a",)),
        ([record("b", 0, 2), record("a", 1, 1), effect("a", 1), effect("b", 2, 3)], "order", ("b", "a")),
        ([record("a", 0, 1), record("b", 1, 2), effect("b", 2), effect("a", 1, 3)], "order", ("b", "a")),
        ([poll("b", 1, 1), poll("a", 0, 2)], "nonmonotonic-poll", ("b", "a")),
        ([poll("a", 1, 1), poll("a", 1, 2)], "nonmonotonic-poll", ("a", "a")),
        (
            [record("a", 0), record("b", 1), effect("b"), commit(2, 3), effect("a", t=4)],
            "commit-past-unfinished",
            ("a",),
        ),
    ],
)
def test_each_broken_promise_has_its_name(history: list[Entry], name: str, events: tuple[str, ...]) -> None:
    verdicts = check(history)
    assert [(verdict.name, verdict.events) for verdict in verdicts] == [(name, events)]
    assert verdicts[0].is_failure == (name != "duplicate")


def test_the_topics_order_is_that_of_its_offsets_and_equal_numbers_have_none() -> None:
    late = [record("b", 1, 2, t=1), record("a", 0, 1, t=2), effect("a", 1, 3), effect("b", 2, 4)]
    assert check(late) == []
    assert check([record("a", 0, 1), record("b", 1, 1), effect("b", 1, 3), effect("a", 1, 4)]) == []


def test_a_record_at_the_committed_offset_may_be_unfinished() -> None:
    assert check([record("a", 0), record("b", 1), effect("a"), commit(1, 3), effect("b", t=4)]) == []


def test_what_has_no_place_is_no_poll_and_no_commit() -> None:
    placeless = [
        Entry(t=1, process="c", op="poll"),
        Entry(t=2, process="c", op="poll"),
        Entry(t=3, process="c", op="commit"),
    ]
    nowhere = Entry(t=0, process="log", op="record", event_id="a")
    assert check([nowhere, *placeless, effect("a", t=4)]) == []


def test_a_duplicate_after_its_successor_is_no_inversion() -> None:
    history = [record("a", 0, 1), record("b", 1, 2), record("a", 2, 1), effect("a", 1), effect("b", 2, 3)]
    assert [verdict.name for verdict in check(history)] == ["duplicate"]


def test_a_dead_letter_is_an_end_too() -> None:
    given_up = Entry(t=2, process="c", op="dead-letter", event_id="a")
    assert check([record("a", 0), given_up, commit(1, 3)]) == []


def test_a_new_assignment_may_begin_earlier() -> None:
    again = Entry(t=2, process="c", op="assigned", place=at(0))
    assert check([poll("b", 1, 1), again, poll("a", 0, 3)]) == []


def test_an_unknown_commit_is_neither_lost_nor_phantom() -> None:
    assert check([stage("a", outcome="unknown")]) == []


def test_lines_are_read_in_order_of_time_and_a_torn_one_is_left_out() -> None:
    lines = [
        json.dumps({"t": 2, "process": "c", "op": "poll", "event_id": "a", "place": ["orders", 0, 5]}),
        json.dumps({"t": 1, "process": "p", "op": "stage", "event_id": "a"}),
        '{"t": 3, "proc',
    ]
    entries = read(lines)
    assert [entry.op for entry in entries] == ["stage", "poll"]
    assert entries[1].place == at(5)
