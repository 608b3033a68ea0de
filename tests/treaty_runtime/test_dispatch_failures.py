"""Rows of the dispatch table about what goes wrong: attempts, outages, too many failures in a row. No thread, no clock."""

from __future__ import annotations

from json import JSONDecodeError

import pytest

from tests.treaty_runtime.dispatch_table import NOW, P0, P1, RETRY, SECOND, Table, at, complete
from treaty_runtime.classify import Kind
from treaty_runtime.consume.actions import (
    Commit,
    Complete,
    Copy,
    DeadLetter,
    Drop,
    Handle,
    Pace,
    Pause,
    Probe,
    Resume,
    Skip,
    Wait,
)
from treaty_runtime.consume.outage import dependency_of
from treaty_runtime.errors import Outage, RegistryUnavailable, Reject, Retry, WriterNotAllowed
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.transport import Position

# -- failed


def test_a_short_delay_is_waited_in_place_and_then_tried_again() -> None:
    table = Table()
    table.arrive(at(0))
    assert table.fail(at(0)) == [Wait(at(0), NOW + SECOND, 1)]
    assert table.due(at(0)) == [Handle(at(0), 2, 1)]


def test_a_longer_delay_goes_through_a_retry_topic() -> None:
    table = Table()
    table.arrive(at(0), attempt=2)
    table.arrive(at(1))
    assert table.fail(at(0)) == [Copy(at(0), "retry.g.10s", 3, NOW + 10 * SECOND, 1)]
    assert list(table.dispatch.copied(at(0), 1)) == [Complete(at(0)), Handle(at(1), 1, 1)]


def test_a_blocking_handler_waits_in_its_lane_through_all_delays() -> None:
    table = Table()
    table.arrive(at(0), attempt=2)
    assert table.fail(at(0), on_failure="block") == [Wait(at(0), NOW + 10 * SECOND, 1)]
    assert table.arrive(at(1)) == []
    assert table.due(at(0)) == [Handle(at(0), 3, 1)]
    assert table.fail(at(0), on_failure="block") == [Wait(at(0), NOW + 60 * SECOND, 1)]
    assert table.due(at(0)) == [Handle(at(0), 4, 1)]
    assert table.fail(at(0), on_failure="block") == [DeadLetter(at(0), "failed", 1)]


def test_after_the_last_delay_comes_the_dead_letter_and_only_its_acknowledgement_completes() -> None:
    table = Table()
    table.arrive(at(0), attempt=4)
    table.arrive(at(1))
    assert table.fail(at(0)) == [DeadLetter(at(0), "failed", 1)]
    assert list(table.dispatch.tick()) == [Commit({P0: Position(0)})]
    assert list(table.dispatch.copied(at(0), 1)) == [Complete(at(0)), Handle(at(1), 1, 1)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Reject("no"), "rejected"), (WriterNotAllowed(), "not-allowed"), (ValueError("x"), "undecodable")],
)
def test_poison_is_dead_lettered_at_once_with_its_word(error: Exception, reason: str) -> None:
    table = Table()
    table.arrive(at(0))
    assert table.fail(at(0), error, Kind.POISON) == [DeadLetter(at(0), reason, 1)]


def test_a_library_error_with_a_reason_of_its_own_is_undecodable() -> None:
    error = ValueError("x")
    error.reason = "string is 'secret'"  # type: ignore[attr-defined]  # DecodeError has such a member
    table = Table()
    table.arrive(at(0))
    assert table.fail(at(0), error, Kind.POISON) == [DeadLetter(at(0), "undecodable", 1)]


def test_a_conflict_is_run_again_at_once_five_times_and_then_is_a_failure() -> None:
    table = Table()
    table.arrive(at(0))
    for _ in range(5):
        assert table.fail(at(0), kind=Kind.CONFLICT) == [Handle(at(0), 1, 1)]
    assert table.fail(at(0), kind=Kind.CONFLICT) == [Wait(at(0), NOW + SECOND, 1)]
    assert table.due(at(0)) == [Handle(at(0), 2, 1)]
    for _ in range(5):
        assert table.fail(at(0), kind=Kind.CONFLICT) == [Handle(at(0), 2, 1)], "the next attempt may be run again, too"


def test_a_cancelled_record_stays_unfinished() -> None:
    table = Table()
    table.arrive(at(0))
    assert table.fail(at(0), kind=Kind.SHUTDOWN) == []
    assert list(table.dispatch.tick()) == [Commit({P0: Position(0)})]


def test_a_handler_may_ask_for_a_later_attempt() -> None:
    table = Table()
    table.arrive(at(0))
    assert table.fail(at(0), Retry(after=30 * SECOND)) == [Copy(at(0), "retry.g.60s", 2, NOW + 30 * SECOND, 1)]
    assert "retry.g.60s" in RetryPolicy().topics("g")


def test_without_the_registry_only_the_lane_that_needs_it_waits() -> None:
    table = Table()
    table.arrive(at(0), "a")
    error = RegistryUnavailable()
    assert table.fail(at(0), error, Kind.STALLED) == [Wait(at(0), NOW + SECOND / 4, 1)]
    assert table.arrive(at(1), "b") == [Handle(at(1), 1, 1)]
    assert table.due(at(0)) == [Handle(at(0), 1, 1)]
    assert table.fail(at(0), error, Kind.STALLED) == [Wait(at(0), NOW + SECOND / 2, 1)]


# -- outages


def test_an_outage_pauses_everything_and_one_record_probes() -> None:
    table = Table(P0, P1)
    table.arrive(at(0), "a")
    table.arrive(at(1), "b")
    assert table.outage(at(0)) == [Pause(frozenset({P0, P1}), "outage"), Probe(at(0), NOW + SECOND / 4, 1)]
    assert table.outage(at(1)) == []
    assert table.arrive(at(2), "c") == []
    assert table.due(at(0)) == [Handle(at(0), 1, 1)]


class Lost(Exception):
    """As a driver's own."""

    __module__ = "driver.errors.lost"


@pytest.mark.parametrize(
    ("error", "dependency"),
    [
        (Outage("refused", dependency="database"), "database"),
        (Outage("refused", dependency=""), "treaty_runtime"),
        (Lost(), "driver"),
        (ConnectionError(), "builtins"),
    ],
)
def test_who_is_away_is_what_the_error_says_or_where_it_comes_from(error: Exception, dependency: str) -> None:
    table = Table()
    table.arrive(at(0))
    table.fail(at(0), error, Kind.OUTAGE)
    assert table.dispatch.outage is not None
    assert table.dispatch.outage.dependency == dependency


def test_a_failing_probe_asks_again_later_and_counts_no_attempt() -> None:
    table = Table()
    table.arrive(at(0))
    table.outage(at(0))
    for wait in (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0):
        assert table.due(at(0)) == [Handle(at(0), 1, 1)]
        assert table.outage(at(0)) == [Probe(at(0), NOW + wait * SECOND, 1)]


def test_a_succeeding_probe_resumes_and_starts_what_waited() -> None:
    table = Table()
    for offset, lane in enumerate("abc"):
        table.arrive(at(offset), lane)
    table.outage(at(0))
    table.outage(at(1))
    assert table.handled(at(2)) == complete(at(2)), "one that was in time ends normally"
    assert table.dispatch.outage is not None
    table.due(at(0))
    assert table.handled(at(0)) == [Resume(frozenset({P0})), Handle(at(1), 1, 1), Complete(at(0))]
    assert table.dispatch.outage is None


def test_what_waited_in_an_outage_does_not_begin_when_its_partition_leaves() -> None:
    table = Table(P0, P1)
    table.arrive(at(0), "a")
    table.arrive(at(0, P1), "b")
    table.outage(at(0))
    table.outage(at(0, P1))
    list(table.dispatch.revoking([P1]))
    table.due(at(0))
    assert table.handled(at(0)) == [Resume(frozenset({P0})), Complete(at(0))]


def test_a_probe_that_nobody_handles_ends_the_outage_too() -> None:
    table = Table()
    table.arrive(at(0))
    table.outage(at(0))
    table.due(at(0))
    found = list(table.dispatch.skipped(at(0), 1, "no-handler"))
    assert found == [Skip(at(0), "no-handler"), Resume(frozenset({P0})), *complete(at(0))]
    assert table.dispatch.outage is None


def test_a_probe_that_fails_for_another_reason_shows_that_the_dependency_is_back() -> None:
    table = Table()
    table.arrive(at(0))
    table.outage(at(0))
    table.due(at(0))
    assert table.fail(at(0)) == [Resume(frozenset({P0})), Wait(at(0), NOW + SECOND, 1)]


def test_a_copy_that_the_broker_does_not_take_is_an_outage_and_is_sent_again() -> None:
    table = Table()
    table.arrive(at(0), attempt=4)
    letter = DeadLetter(at(0), "failed", 1)
    assert table.fail(at(0)) == [letter]
    failed = list(table.dispatch.copy_failed(at(0), 1, now=NOW, jitter=0.0))
    assert failed == [Pause(frozenset({P0}), "outage"), Probe(at(0), NOW + SECOND / 4, 1)]
    assert table.due(at(0)) == [letter]
    assert list(table.dispatch.copied(at(0), 1)) == [Resume(frozenset({P0})), Complete(at(0))]


def test_a_copy_that_is_too_large_becomes_a_dead_letter() -> None:
    table = Table()
    table.arrive(at(0), attempt=2)
    table.fail(at(0))
    assert list(table.dispatch.copy_refused(at(0), 1)) == [DeadLetter(at(0), "oversize", 1)]


def test_a_copy_that_is_too_large_when_the_broker_is_back_ends_the_outage_that_it_probed() -> None:
    table = Table()
    table.arrive(at(0), attempt=4)
    table.fail(at(0))
    list(table.dispatch.copy_failed(at(0), 1, now=NOW, jitter=0.0))
    table.due(at(0))
    refused = list(table.dispatch.copy_refused(at(0), 1))
    assert refused == [Resume(frozenset({P0})), DeadLetter(at(0), "oversize", 1)]


def test_partitions_that_come_in_an_outage_are_paused() -> None:
    table = Table()
    table.arrive(at(0))
    table.outage(at(0))
    assert list(table.dispatch.assigned([P1])) == [Pause(frozenset({P1}), "outage")]


def test_another_record_probes_when_the_first_leaves_with_its_partition() -> None:
    table = Table(P0, P1)
    table.arrive(at(0), "a")
    table.arrive(at(0, P1), "b")
    table.outage(at(0))
    table.outage(at(0, P1))
    assert list(table.dispatch.lost([P0], now=NOW, jitter=0.0)) == [
        Drop(P0, 1),
        Probe(at(0, P1), NOW + SECOND / 4, 1),
    ]
    assert list(table.dispatch.lost([P1], now=NOW, jitter=0.0)) == [Drop(P1, 1)]
    assert table.dispatch.outage is None


def test_the_probe_stays_when_another_partition_leaves() -> None:
    table = Table(P0, P1, RETRY)
    table.arrive(at(0), "a")
    table.arrive(at(0, P1), "b")
    table.outage(at(0))
    table.outage(at(0, P1))
    assert list(table.dispatch.lost([RETRY], now=NOW, jitter=0.0)) == [Drop(RETRY, 1)]
    assert table.due(at(0)) == [Handle(at(0), 1, 1)]


def test_no_record_that_leaves_as_well_becomes_the_probe() -> None:
    table = Table(P0, P1)
    table.arrive(at(0), "a")
    table.arrive(at(0, P1), "b")
    table.outage(at(0))
    table.outage(at(0, P1))
    assert list(table.dispatch.lost([P0, P1], now=NOW, jitter=0.0)) == [Drop(P0, 1), Drop(P1, 1)]
    assert table.dispatch.outage is None


# -- throttle

SLOW = RetryPolicy(delays=(), throttle_after=2, throttle_pause=SECOND)


def throttled() -> Table:
    """Two records failed in a row; their dead letters are on the way."""
    table = Table(policy=SLOW)
    for offset, lane in ((0, "a"), (1, "b")):
        table.arrive(at(offset), lane)
        assert not table.dispatch.is_throttled
        assert table.fail(at(offset)) == [DeadLetter(at(offset), "failed", 1)]
    assert table.dispatch.is_throttled
    return table


def test_after_many_failures_in_a_row_records_run_one_by_one_a_pause_apart() -> None:
    table = throttled()
    assert table.arrive(at(2), "c") == [Pace(at(2), SECOND, 1)]
    assert table.arrive(at(3), "d") == [Pause(frozenset({P0}), "backpressure")]
    assert list(table.dispatch.paced(at(3), 1)) == [], "not its turn"
    assert list(table.dispatch.paced(at(2), 1)) == [Handle(at(2), 1, 1), Pace(at(3), SECOND, 1)]
    assert table.fail(at(2)) == [DeadLetter(at(2), "failed", 1)], "copies are not held"
    assert list(table.dispatch.paced(at(3), 1)) == [Handle(at(3), 1, 1)]


def test_a_success_ends_the_throttle_and_what_was_held_goes_on() -> None:
    table = throttled()
    for offset, lane in ((2, "c"), (3, "d")):
        table.arrive(at(offset), lane)
    list(table.dispatch.paced(at(2), 1))
    assert table.handled(at(2)) == [Handle(at(3), 1, 1), Complete(at(2))]
    assert not table.dispatch.is_throttled
    assert list(table.dispatch.paced(at(3), 1)) == [], "it has begun already"


def test_a_dead_letter_that_arrived_is_no_success() -> None:
    table = throttled()
    assert list(table.dispatch.copied(at(0), 1)) == complete(at(0))
    assert table.dispatch.is_throttled


def test_a_record_that_nobody_handles_is_no_success_either() -> None:
    """On a topic of several classes it would end the throttle each time, and a broken handler would empty the topic."""
    table = throttled()
    table.arrive(at(2), "c")
    list(table.dispatch.paced(at(2), 1))
    assert list(table.dispatch.skipped(at(2), 1, "no-handler")) == [Skip(at(2), "no-handler"), *complete(at(2))]
    assert table.dispatch.is_throttled


def test_a_success_in_between_begins_the_count_anew() -> None:
    table = Table(policy=SLOW)
    for offset, lane in ((0, "a"), (1, "b"), (2, "c")):
        table.arrive(at(offset), lane)
    table.fail(at(0))
    table.handled(at(1))
    table.fail(at(2))
    assert not table.dispatch.is_throttled


def test_an_outage_under_throttle_probes_with_one_and_parks_the_paced_ones() -> None:
    table = throttled()
    table.arrive(at(2), "c")
    table.arrive(at(3), "d")
    list(table.dispatch.paced(at(2), 1))
    table.outage(at(2))
    assert list(table.dispatch.paced(at(3), 1)) == []
    assert table.due(at(2)) == [Handle(at(2), 1, 1)]
    assert Handle(at(3), 1, 1) in table.handled(at(2))


def test_the_throttle_goes_on_with_the_partition_that_stays() -> None:
    table = Table(P0, P1, policy=SLOW)
    for offset, lane in ((0, "a"), (1, "b")):
        table.arrive(at(offset), lane)
        table.fail(at(offset))
    table.arrive(at(2), "c")
    table.arrive(at(0, P1), "d")
    actions = list(table.dispatch.lost([P0], now=NOW, jitter=0.0))
    assert Pace(at(0, P1), SECOND, 1) in actions
    assert list(table.dispatch.paced(at(2), 1)) == []
    assert list(table.dispatch.paced(at(0, P1), 1)) == [Handle(at(0, P1), 1, 1)]


@pytest.mark.parametrize(("after", "told"), [(0, [False, False]), (1, [True, True]), (2, [False, True])])
def test_so_many_failures_in_a_row_begin_it_and_none_if_it_is_off(after: int, told: list[bool]) -> None:
    table, found = Table(policy=RetryPolicy(delays=(), throttle_after=after)), []
    for offset in (0, 1):
        table.arrive(at(offset), str(offset))
        list(table.dispatch.paced(at(offset), 1))
        table.fail(at(offset))
        found.append(table.dispatch.is_throttled)
    assert found == told


def test_a_success_lets_all_that_were_held_begin_in_their_order_and_once() -> None:
    table = Table(policy=SLOW)
    for offset in range(3):
        table.arrive(at(offset), str(offset))
    table.fail(at(0))
    table.fail(at(1))
    for offset in (3, 4, 5):
        table.arrive(at(offset), str(offset))
    assert table.handled(at(2)) == [*(Handle(at(offset), 1, 1) for offset in (3, 4, 5)), Complete(at(2))]
    table.fail(at(3))
    table.fail(at(4))
    assert table.arrive(at(6), "6") == [Pace(at(6), SECOND, 1)]
    assert list(table.dispatch.paced(at(6), 1)) == [Handle(at(6), 1, 1)]


def test_what_was_held_of_a_partition_that_left_has_no_turn() -> None:
    table = Table(P0, P1, policy=SLOW)
    for offset in (0, 1):
        table.arrive(at(offset), str(offset))
        table.fail(at(offset))
    assert table.arrive(at(0, P1), "c") == [Pace(at(0, P1), SECOND, 1)]
    table.arrive(at(2), "d")
    table.arrive(at(1, P1), "e")
    assert list(table.dispatch.lost([P0], now=NOW, jitter=0.0)) == [Drop(P0, 1)]
    assert list(table.dispatch.paced(at(0, P1), 1)) == [Handle(at(0, P1), 1, 1), Pace(at(1, P1), SECOND, 1)]


def test_a_paced_record_does_not_begin_when_its_partition_leaves_and_the_next_one_does() -> None:
    table = Table(P0, P1, policy=SLOW)
    for offset in (0, 1):
        table.arrive(at(offset, P1), str(offset))
        table.fail(at(offset, P1))
    table.arrive(at(0), "c")
    table.arrive(at(2, P1), "d")
    list(table.dispatch.revoking([P0]))
    assert list(table.dispatch.paced(at(0), 1)) == [Pace(at(2, P1), SECOND, 1)]


@pytest.mark.parametrize(
    ("parts", "away"),
    [
        ([ValueError(), Outage(dependency="shop")], "shop"),
        ([ValueError(), ExceptionGroup("inner", [ValueError(), Outage(dependency="shop")])], "shop"),
        ([ExceptionGroup("inner", [JSONDecodeError("no", "", 0)]), ValueError()], "json"),
    ],
)
def test_of_a_group_the_part_that_says_so_names_who_is_away(parts: list[Exception], away: str) -> None:
    assert dependency_of(ExceptionGroup("unhandled", parts)) == away
