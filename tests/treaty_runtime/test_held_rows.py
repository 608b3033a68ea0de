"""The table of held records and the dispatch beside it: who follows whom, what is counted, and answers that come late."""

from __future__ import annotations

import pytest

from tests.treaty_runtime.test_holding import NOW, P0, P1, TEN, Table, at, record
from treaty_runtime.classify import Kind
from treaty_runtime.consume.actions import (
    Action,
    Complete,
    DeadLetter,
    Drop,
    Fetch,
    Handle,
    Hold,
    Pause,
    Release,
    Resume,
    Wait,
)
from treaty_runtime.consume.dispatch import Dispatch
from treaty_runtime.consume.facts import Arrival, FailedAttempt, HeldFact
from treaty_runtime.limits import Limits, Marks
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.transport import Position


def row(offset: int, lane: str | None = "a", begun: int = 0) -> HeldFact:
    return HeldFact(offset=offset, lane=lane, attempt=2, due=NOW + TEN, begun=begun)


def not_held(table: Table, offset: int) -> list[Action]:
    return list(table.dispatch.holding.not_held(at(offset), 1, now=NOW, jitter=0.0))


def behind_a_running_head() -> Table:
    """A held record runs; two of its key are on their way into the table behind it."""
    table = Table()
    table.hold(0)
    table.due(0)
    table.fetched(0)
    for offset in (1, 2):
        assert table.arrive(offset) == [Hold(at(offset), 1, None, 1)]
    return table


# -- what is known


def test_keys_are_counted_once_and_each_record_without_one_is_its_own() -> None:
    table = Table(*(row(offset, lane) for offset, lane in enumerate(("a", "a", "a", "b", None, None))))
    assert (table.dispatch.holding.keys, table.dispatch.holding.count) == (4, 6)


def test_what_is_in_the_table_is_known_until_its_row_has_gone() -> None:
    table = Table(row(0), row(1))
    has = table.dispatch.holding.has
    assert [has(at(0)), has(at(1)), has(at(2)), has(at(0, P1))] == [True, True, False, False]
    table.due(0)
    table.fetched(0)
    assert table.handled(0) == [Complete(at(0)), Fetch(at(1), 1)]
    assert [has(at(0)), has(at(1))] == [False, True]
    assert (table.dispatch.holding.keys, table.dispatch.holding.count) == (1, 1)


def test_rows_of_an_assignment_that_is_over_or_known_change_nothing() -> None:
    table = Table(loads=False)
    loaded = table.dispatch.holding.loaded
    assert list(loaded(P1, 1, [row(0)], NOW)) == []
    assert list(loaded(P0, 2, [row(0)], NOW)) == []
    assert table.dispatch.holding.count == 0
    assert list(loaded(P0, 1, [row(0)], NOW)) == [Wait(at(0), NOW + TEN, 1), Resume(frozenset({P0}))]
    assert list(loaded(P0, 1, [row(1)], NOW)) == []
    assert table.dispatch.holding.count == 1


def test_a_row_whose_time_has_just_come_is_fetched() -> None:
    table = Table(HeldFact(offset=0, lane="a", attempt=2, due=NOW, begun=1))
    assert table.loaded == [Fetch(at(0), 1), Resume(frozenset({P0}))]


# -- who follows


def test_a_record_behind_a_running_one_of_its_key_does_not_follow_another_key_into_the_table() -> None:
    table = Table()
    table.hold(0)
    assert table.arrive(1, "b") == [Handle(at(1), 1, 1)]
    assert table.arrive(2, "b") == []
    assert table.handled(1) == [Complete(at(1)), Handle(at(2), 1, 1)]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_records_that_are_on_their_way_into_the_table_are_not_sent_there_twice(order: tuple[int, int]) -> None:
    table = behind_a_running_head()
    assert table.handled(0) == [Complete(at(0))]
    told = [action for offset in order for action in table.held(offset)]
    assert sorted(told, key=repr) == [Complete(at(1)), Complete(at(2)), Fetch(at(1), 1)]


def test_nothing_follows_into_the_table_from_a_partition_that_leaves() -> None:
    table = Table()
    table.arrive(0)
    table.arrive(1)
    table.fail(0)
    list(table.dispatch.revoking([P0]))
    assert not table.dispatch.is_drained([P0])
    assert table.held(0) == [Complete(at(0)), Wait(at(0), NOW + TEN, 1)]
    assert table.dispatch.is_drained([P0])


# -- what makes room


def test_a_record_in_the_table_makes_room_for_others() -> None:
    table = Table(marks=Marks(high_records=2, low_records=1))
    table.arrive(0)
    assert table.arrive(1, "b") == [Handle(at(1), 1, 1), Pause(frozenset({P0}), "backpressure")]
    table.fail(0)
    assert table.held(0) == [Complete(at(0)), Resume(frozenset({P0})), Wait(at(0), NOW + TEN, 1)]


def test_a_held_record_takes_no_memory_and_leaves_none_when_it_goes() -> None:
    table = Table(marks=Marks(high_bytes=10, low_bytes=1))
    table.hold(0)
    list(table.dispatch.lost([P0], now=NOW, jitter=0.0))
    list(table.dispatch.assigned([P0]))
    list(table.dispatch.holding.loaded(P0, 2, [], NOW))
    assert len(table.arrive(1)) == 1
    assert table.arrive(2, "b") == [Handle(at(2), 1, 2), Pause(frozenset({P0}), "memory")]


# -- outages


def test_a_held_record_that_cannot_be_read_probes_and_ends_the_outage_when_it_is_read() -> None:
    table = Table()
    table.hold(0)
    table.due(0)
    assert not_held(table, 0)[0] == Pause(frozenset({P0}), "outage")
    assert table.due(0) == [Fetch(at(0), 1)]
    assert table.fetched(0) == [Resume(frozenset({P0})), Handle(at(0), 2, 1)]


def test_a_dead_letter_of_a_held_record_that_cannot_be_sent_probes_and_ends_the_outage_when_it_is() -> None:
    table = Table(HeldFact(offset=0, lane="a", attempt=3, due=None))
    table.fetched(0)
    letter = DeadLetter(at(0), "failed", 1)
    assert table.fail(0) == [letter]
    list(table.dispatch.copy_failed(at(0), 1, now=NOW, jitter=0.0))
    assert table.due(0) == [letter]
    assert list(table.dispatch.copied(at(0), 1)) == [Resume(frozenset({P0})), Release(at(0), 1)]
    assert not_held(table, 0)[0] == Pause(frozenset({P0}), "outage")
    assert table.due(0) == [Release(at(0), 1)]
    assert table.handled(0) == [Resume(frozenset({P0})), Complete(at(0))]


def test_answers_about_what_is_not_ours_drop_it() -> None:
    table = Table()
    holding = table.dispatch.holding
    late = (not_held(table, 9), table.fetched(9), list(holding.done(at(9), 1)), table.held(9), table.handled(9))
    assert late == ([Drop(P0, 1)],) * 5


def test_an_answer_to_a_hold_that_nobody_asked_for_drops_it() -> None:
    table = Table()
    table.arrive(0)
    assert table.held(0) == [Drop(P0, 1)]


# -- processes that die


@pytest.mark.parametrize(
    ("quarantine_after", "begun", "is_buried"),
    [(0, 0, False), (0, 9, False), (1, 0, False), (1, 1, True), (2, 1, False)],
)
def test_a_held_record_is_buried_after_as_many_ends_as_are_said(
    quarantine_after: int, begun: int, is_buried: bool
) -> None:
    table = Table(row(0, begun=begun), quarantine_after=quarantine_after)
    table.due(0)
    expected = DeadLetter(at(0), "kills-process", 1) if is_buried else Handle(at(0), 2, 1)
    assert table.fetched(0, begun=begun) == [expected]


@pytest.mark.parametrize("begun", [0, 1])
def test_ends_are_held_against_the_next_record_unless_a_held_one_ran(begun: int) -> None:
    dispatch = Dispatch(group="g", policy=RetryPolicy(), limits=Limits(), held_at_once=32)
    list(dispatch.assigned([P0], {P0: Position(5, "d3")}))
    list(dispatch.committed({P0: Position(5, "d4")}))
    list(dispatch.holding.loaded(P0, 1, [row(0, begun=begun)], NOW))
    expected = Handle(at(5), 1, 1) if begun else DeadLetter(at(5), "kills-process", 1)
    assert list(dispatch.arrived(at(5), Arrival("b", 5, record(5)), NOW)) == [expected]


def test_a_held_record_that_fails_clears_no_suspicion_of_another() -> None:
    dispatch = Dispatch(group="g", policy=RetryPolicy(delays=("10s",), jitter=0), limits=Limits(), held_at_once=32)
    list(dispatch.assigned([P0], {P0: Position(5, "d2")}))
    list(dispatch.holding.loaded(P0, 1, [HeldFact(offset=0, lane="a", attempt=1, due=None)], NOW))
    assert list(dispatch.holding.fetched(at(0), 1, record(0), 0)) == [Handle(at(0), 1, 1)]
    failed = FailedAttempt(Kind.FAILURE, ValueError("broken"))
    assert list(dispatch.failed(at(0), 1, failed, now=NOW, jitter=0.0)) == [Hold(at(0), 2, NOW + TEN, 1, is_again=True)]
    assert list(dispatch.tick()) == []
