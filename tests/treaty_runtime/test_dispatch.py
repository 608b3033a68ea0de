"""Rows of the dispatch table about records, partitions and commits: facts in, actions out, in order. No thread, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pytest

from tests.treaty_runtime.dispatch_table import LIMITS, NOW, P0, P1, RETRY, SECOND, Table, at, complete
from treaty_runtime.consume.actions import Action, Commit, Complete, DeadLetter, Drop, Handle, Pause, Resume, Skip, Wait
from treaty_runtime.consume.dispatch import Dispatch
from treaty_runtime.consume.facts import Arrival
from treaty_runtime.event import Record
from treaty_runtime.limits import Limits, Marks
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.transport import Position

# -- arrived


def test_a_record_of_a_free_lane_is_handled() -> None:
    assert Table().arrive(at(0)) == [Handle(at(0), 1, 1)]


def test_a_record_of_a_busy_lane_waits_and_others_do_not() -> None:
    table = Table()
    table.arrive(at(0), "a")
    assert table.arrive(at(1), "a") == []
    assert table.arrive(at(2), "b") == [Handle(at(2), 1, 1)]


def test_records_without_a_key_have_lanes_of_their_own() -> None:
    table = Table()
    assert table.arrive(at(0), None) == [Handle(at(0), 1, 1)]
    assert table.arrive(at(1), None) == [Handle(at(1), 1, 1)]


@pytest.mark.parametrize("reason", ["no-handler", "tombstone"])
def test_what_nobody_handles_is_skipped_and_complete(reason: str) -> None:
    assert Table().arrive(at(0), skip=reason) == [Skip(at(0), reason), Complete(at(0))]


def test_a_record_over_the_limit_is_dead_lettered_without_a_turn() -> None:
    table = Table()
    table.arrive(at(0), "a")
    assert table.arrive(at(1), "a", poison="oversize") == [DeadLetter(at(1), "oversize", 1)]
    assert list(table.dispatch.copied(at(1), 1)) == complete(at(1))


def test_a_record_that_arrives_twice_is_handled_once() -> None:
    table = Table()
    table.arrive(at(0))
    assert table.arrive(at(0)) == []


def test_a_record_of_a_partition_that_is_not_ours_is_left_to_its_owner() -> None:
    assert Table().arrive(at(0, P1)) == []


def test_fetching_stops_at_the_high_mark_and_goes_on_at_the_low_one() -> None:
    table = Table()
    for offset in range(3):
        table.arrive(at(offset), str(offset))
    assert table.arrive(at(3), "3") == [Handle(at(3), 1, 1), Pause(frozenset({P0}), "backpressure")]
    assert table.handled(at(0)) == complete(at(0))
    assert table.handled(at(1)) == complete(at(1))
    assert table.handled(at(2)) == [Complete(at(2)), Resume(frozenset({P0}))]


def test_too_many_bytes_pause_every_partition() -> None:
    table = Table(P0, P1)
    table.arrive(at(0), size=600)
    both = frozenset({P0, P1})
    assert table.arrive(at(0, P1), "b", size=600) == [Handle(at(0, P1), 1, 1), Pause(both, "memory")]
    assert table.handled(at(0)) == complete(at(0))
    assert table.handled(at(0, P1)) == [Complete(at(0, P1)), Resume(both)]


# -- handled


def test_after_a_record_the_next_of_its_lane_follows() -> None:
    table = Table()
    table.arrive(at(0))
    table.arrive(at(1))
    assert table.handled(at(0)) == [Complete(at(0)), Handle(at(1), 1, 1)]
    assert table.handled(at(1)) == complete(at(1))
    assert table.dispatch.lanes == 0


def test_a_record_found_to_have_no_handler_is_skipped_and_the_next_follows() -> None:
    table = Table()
    table.arrive(at(0))
    table.arrive(at(1))
    assert list(table.dispatch.skipped(at(0), 1, "no-handler")) == [
        Skip(at(0), "no-handler"),
        Complete(at(0)),
        Handle(at(1), 1, 1),
    ]


# -- retry topics


def test_a_retry_topic_waits_for_its_head_and_then_goes_on() -> None:
    table = Table(RETRY)
    first, second, third = at(0, RETRY), at(1, RETRY), at(2, RETRY)
    assert table.arrive(first, "a", due=NOW + SECOND, attempt=3) == [
        Pause(frozenset({RETRY}), "not due"),
        Wait(first, NOW + SECOND, 1),
    ]
    assert table.arrive(second, "b", due=NOW + SECOND, attempt=3) == []
    assert table.arrive(third, "c", due=NOW + 2 * SECOND, attempt=3) == []
    assert table.due(first, NOW + SECOND) == [
        Handle(first, 3, 1),
        Handle(second, 3, 1),
        Wait(third, NOW + 2 * SECOND, 1),
    ]
    assert table.due(third, NOW + 2 * SECOND) == [Handle(third, 3, 1), Resume(frozenset({RETRY}))]


def test_records_of_one_key_that_are_due_together_run_one_after_the_other() -> None:
    table = Table(RETRY)
    table.arrive(at(0, RETRY), due=NOW + SECOND)
    table.arrive(at(1, RETRY), due=NOW + SECOND)
    assert table.due(at(0, RETRY), NOW + SECOND) == [Handle(at(0, RETRY), 1, 1), Resume(frozenset({RETRY}))]
    assert table.handled(at(0, RETRY)) == [Complete(at(0, RETRY)), Handle(at(1, RETRY), 1, 1)]


@pytest.mark.parametrize("due", [None, NOW], ids=["without a time", "due already"])
def test_what_comes_behind_a_record_that_waits_for_its_time_waits_for_it(due: datetime | None) -> None:
    table = Table(RETRY)
    table.arrive(at(0, RETRY), "a", due=NOW + SECOND)
    assert table.arrive(at(1, RETRY), "b", due=due) == []
    assert table.due(at(0, RETRY), NOW + SECOND) == [
        Handle(at(0, RETRY), 1, 1),
        Handle(at(1, RETRY), 1, 1),
        Resume(frozenset({RETRY})),
    ]


def test_a_retried_record_that_is_due_is_handled_with_the_attempt_of_its_header() -> None:
    assert Table(RETRY).arrive(at(0, RETRY), due=NOW, attempt=3) == [Handle(at(0, RETRY), 3, 1)]


def test_a_timer_that_is_early_waits_again() -> None:
    table = Table(RETRY)
    table.arrive(at(0, RETRY), due=NOW + SECOND)
    assert table.due(at(0, RETRY), NOW) == [Wait(at(0, RETRY), NOW + SECOND, 1)]


# -- partitions that leave


def test_a_leaving_partition_drains_then_commits_then_is_dropped() -> None:
    table = Table(P0, P1)
    table.arrive(at(0))
    table.arrive(at(1))
    table.arrive(at(2), "b")
    table.handled(at(0))
    assert list(table.dispatch.revoking([P0])) == [Pause(frozenset({P0}), "leaving")]
    assert not table.dispatch.is_drained([P0])
    assert table.handled(at(1)) == complete(at(1))
    assert table.handled(at(2)) == complete(at(2))
    assert table.dispatch.is_drained([P0])
    assert list(table.dispatch.revoked([P0], now=NOW, jitter=0.0)) == [Commit({P0: Position(3)}), Drop(P0, 1)]


def test_nothing_of_a_leaving_partition_starts_any_more() -> None:
    table = Table()
    table.arrive(at(0))
    table.arrive(at(1))
    list(table.dispatch.revoking([P0]))
    assert table.handled(at(0)) == complete(at(0))
    assert table.arrive(at(2), "z") == []
    assert list(table.dispatch.revoked([P0], now=NOW, jitter=0.0)) == [Commit({P0: Position(1)}), Drop(P0, 1)]


def test_a_waiting_retry_does_not_hold_up_a_revocation() -> None:
    table = Table()
    table.arrive(at(0))
    table.fail(at(0))
    list(table.dispatch.revoking([P0]))
    assert table.dispatch.is_drained([P0])
    assert table.due(at(0)) == []


def test_a_lane_goes_on_with_the_partition_that_stays() -> None:
    table = Table(P0, RETRY)
    table.arrive(at(0), "a")
    table.arrive(at(5, RETRY), "a", attempt=3)
    list(table.dispatch.revoking([P0]))
    actions = list(table.dispatch.revoked([P0], now=NOW, jitter=0.0))
    assert actions == [Commit({P0: Position(0)}), Drop(P0, 1), Handle(at(5, RETRY), 3, 1)]


def test_a_lost_partition_commits_nothing() -> None:
    table = Table()
    table.arrive(at(0))
    table.handled(at(0))
    assert list(table.dispatch.lost([P0], now=NOW, jitter=0.0)) == [Drop(P0, 1)]
    assert list(table.dispatch.tick()) == []


def test_a_result_of_an_older_assignment_is_dropped() -> None:
    table = Table()
    table.arrive(at(0))
    list(table.dispatch.lost([P0], now=NOW, jitter=0.0))
    list(table.dispatch.assigned([P0]))
    assert table.arrive(at(0)) == [Handle(at(0), 1, 2)]
    late: Iterable[list[Action]] = (
        table.handled(at(0)),
        table.fail(at(0)),
        list(table.dispatch.copied(at(0), 1)),
        list(table.dispatch.copy_refused(at(0), 1)),
        list(table.dispatch.copy_failed(at(0), 1, now=NOW, jitter=0.0)),
        list(table.dispatch.skipped(at(0), 1, "no-handler")),
    )
    for actions in late:
        assert actions == [Drop(P0, 1)]
    assert table.handled(at(0), epoch=2) == complete(at(0))


def test_memory_of_lost_records_is_free_again() -> None:
    table = Table(P0, P1)
    table.arrive(at(0), size=1200)
    assert list(table.dispatch.lost([P0], now=NOW, jitter=0.0)) == [Drop(P0, 1), Resume(frozenset({P1}))]


# -- commits


def test_a_tick_commits_the_watermark_once() -> None:
    table = Table()
    table.arrive(at(0))
    table.arrive(at(1), "b")
    table.handled(at(1))
    assert list(table.dispatch.tick()) == [Commit({P0: Position(0)})]
    table.handled(at(0))
    (commit,) = table.dispatch.tick()
    assert commit == Commit({P0: Position(2)})
    table.dispatch.committed({P0: Position(2)})
    assert list(table.dispatch.tick()) == []


def test_what_the_group_had_committed_is_not_committed_again() -> None:
    dispatch = Dispatch(group="g", policy=RetryPolicy(), limits=LIMITS)
    list(dispatch.assigned([P0], {P0: Position(7)}))
    list(dispatch.arrived(at(7), Arrival(lane="a"), NOW))
    assert list(dispatch.tick()) == []


def test_every_hundredth_completion_commits_without_waiting_for_the_second() -> None:
    table = Table()
    told = [table.arrive(at(offset), skip="tombstone") for offset in range(300)]
    for number in (100, 200, 300):
        last = at(number - 1)
        assert told[number - 1] == [Skip(last, "tombstone"), Complete(last), Commit({P0: Position(number)})]
    assert sum(len(actions) for actions in told) == 2 * 300 + 3


def test_a_partition_of_which_nothing_came_leaves_without_a_commit() -> None:
    assert list(Table().dispatch.revoked([P0], now=NOW, jitter=0.0)) == [Drop(P0, 1)]


def test_a_partition_that_comes_while_memory_is_full_is_paused() -> None:
    table = Table()
    table.arrive(at(0), size=999)
    assert list(table.dispatch.assigned([P1])) == []
    assert table.arrive(at(1), "b", size=1) == [Handle(at(1), 1, 1), Pause(frozenset({P0, P1}), "memory")]
    assert list(table.dispatch.assigned([RETRY])) == [Pause(frozenset({RETRY}), "memory")]


def test_a_partition_with_many_records_stops_no_other_one() -> None:
    table = Table(P0, P1)
    told = [action for offset in range(4) for action in table.arrive(at(offset), str(offset))]
    assert told[-1] == Pause(frozenset({P0}), "backpressure")
    assert table.arrive(at(0, P1), "z") == [Handle(at(0, P1), 1, 1)]


def test_memory_is_free_again_at_the_low_mark() -> None:
    table = Table()
    table.arrive(at(0), "a", size=900)
    table.arrive(at(1), "b", size=100)
    assert table.handled(at(0)) == [Complete(at(0)), Resume(frozenset({P0}))]


def test_a_partition_without_a_mark_leaves_what_was_committed() -> None:
    dispatch = Dispatch(group="g", policy=RetryPolicy(), limits=LIMITS)
    list(dispatch.assigned([P0], {P0: Position(7)}))
    assert list(dispatch.revoked([P0], now=NOW, jitter=0.0)) == [Drop(P0, 1)]


# -- what may be seen


def test_a_group_that_says_nothing_has_limits_all_the_same() -> None:
    assert Limits() == Limits(
        marks=Marks(high_records=2_000, low_records=500, high_bytes=64 * 1024**2, low_bytes=16 * 1024**2),
        commit_every=1_000,
        first_probe=SECOND / 2,
        last_probe=30 * SECOND,
        quarantine_after=3,
    )


def test_the_record_of_unfinished_work_can_be_had_while_it_is_ours() -> None:
    record = Record(at(0), b"a", b"value")
    dispatch = Dispatch(group="g", policy=RetryPolicy())
    list(dispatch.assigned([P0]))
    list(dispatch.arrived(at(0), Arrival("a", 5, record), NOW))
    assert dispatch.record(at(0), 1) is record
    assert dispatch.record(at(0), 2) is None
    assert dispatch.record(at(1), 1) is None
