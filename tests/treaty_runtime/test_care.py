"""What a partition's last owners left tells how carefully it begins: rows of facts and actions, no process dies here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from treaty_runtime.classify import Kind
from treaty_runtime.consume.actions import Action, Commit, Complete, DeadLetter, Drop, Handle, Pause, Wait
from treaty_runtime.consume.care import CALM_TICKS, CAREFUL_RECORDS, deaths_in
from treaty_runtime.consume.dispatch import Dispatch
from treaty_runtime.consume.facts import Arrival, FailedAttempt
from treaty_runtime.errors import Outage
from treaty_runtime.event import Partition, Place
from treaty_runtime.limits import Limits
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.transport import Position

NOW = datetime(2026, 3, 1, tzinfo=UTC)
P0 = Partition("orders", 0)


def at(offset: int) -> Place:
    return Place(*P0, offset)


class Owner:
    """A dispatch that got one partition, and what it wants to be done about that."""

    def __init__(self, found: Position | None, *, quarantine_after: int = 3) -> None:
        limits = Limits(quarantine_after=quarantine_after)
        self.dispatch = Dispatch(group="g", policy=RetryPolicy(jitter=0), limits=limits)
        self.first = list(self.dispatch.assigned([P0], {} if found is None else {P0: found}))

    def arrive(self, *offsets: int, due: datetime | None = None) -> list[Action]:
        actions: list[Action] = []
        for offset in offsets:
            arrival = Arrival(str(offset))
            arrival.due = due
            actions += self.dispatch.arrived(at(offset), arrival, NOW)
        return actions

    def commits(self, offset: int, metadata: str) -> list[Action]:
        return list(self.dispatch.committed({P0: Position(offset, metadata)}))

    def handled(self, offset: int) -> list[Action]:
        return list(self.dispatch.handled(at(offset), 1))

    def waits(self) -> list[Action]:
        """What the ticks ask for after which a record may be tried of which two owners died."""
        return [action for _ in range(CALM_TICKS) for action in self.dispatch.tick()]

    def leaves(self) -> list[Action]:
        return list(self.dispatch.revoked([P0], now=NOW, jitter=0.0))


def commit(offset: int, metadata: str) -> Commit:
    return Commit({P0: Position(offset, metadata)})


@pytest.mark.parametrize(
    ("metadata", "deaths"), [("", 0), ("d1", 1), ("d12", 12), ("d0", 0), ("d", 0), ("other", 0), ("d99999", 0)]
)
def test_only_our_own_metadata_counts(metadata: str, deaths: int) -> None:
    assert deaths_in(metadata) == deaths


def test_after_a_good_end_records_begin_as_soon_as_the_mark_is_committed() -> None:
    owner = Owner(Position(7, ""))
    assert owner.first == []
    assert owner.arrive(7, 8) == [commit(7, "d1")]
    assert owner.commits(7, "d1") == [Handle(at(7), 1, 1), Handle(at(8), 1, 1)]
    assert owner.arrive(9) == [Handle(at(9), 1, 1)]
    owner.handled(7)
    assert list(owner.dispatch.tick()) == [commit(8, "d1")]


def test_where_nobody_committed_yet_the_first_record_says_what_to_mark() -> None:
    owner = Owner(None)
    assert owner.first == []
    assert owner.arrive(40, 41) == [commit(40, "d1")]
    assert owner.commits(40, "d1") == [Handle(at(40), 1, 1), Handle(at(41), 1, 1)]


def test_a_mark_that_the_broker_did_not_take_is_asked_for_again() -> None:
    owner = Owner(Position(7, ""))
    owner.arrive(7)
    assert list(owner.dispatch.tick()) == [commit(7, "d1")]


def test_after_a_bad_end_one_record_runs_at_a_time_each_after_the_commit_of_the_one_before() -> None:
    owner = Owner(Position(7, "d1"))
    assert owner.first == []
    assert owner.arrive(7, 8) == [commit(7, "d2")]
    assert owner.commits(7, "d2") == [Handle(at(7), 1, 1)]
    assert owner.handled(7) == [Complete(at(7)), commit(8, "d1")]
    assert owner.commits(8, "d1") == [Handle(at(8), 1, 1)]


def test_the_care_ends_after_two_hundred_records() -> None:
    owner = Owner(Position(0, "d1"))
    owner.arrive(*range(CAREFUL_RECORDS + 3))
    begun = owner.commits(0, "d2")
    for offset in range(CAREFUL_RECORDS):
        assert begun == [Handle(at(offset), 1, 1)]
        *_, last = owner.handled(offset)
        begun = owner.commits(offset + 1, "d1") if last == commit(offset + 1, "d1") else [last]
    rest = [Handle(at(offset), 1, 1) for offset in range(CAREFUL_RECORDS, CAREFUL_RECORDS + 3)]
    assert begun == rest[-1:]


def test_the_care_is_for_two_hundred_records_and_calm_for_five_seconds() -> None:
    assert (CAREFUL_RECORDS, CALM_TICKS) == (200, 5)


def test_behind_the_last_of_the_careful_records_nothing_begins_before_it_ends() -> None:
    owner = Owner(Position(0, "d1"))
    owner.arrive(*range(CAREFUL_RECORDS))
    owner.commits(0, "d2")
    for offset in range(CAREFUL_RECORDS - 1):
        owner.handled(offset)
        owner.commits(offset + 1, "d1")
    assert owner.arrive(CAREFUL_RECORDS) == []
    assert owner.dispatch.assignments[P0].care is not None
    ended = owner.handled(CAREFUL_RECORDS - 1)
    assert ended == [Complete(at(CAREFUL_RECORDS - 1)), Handle(at(CAREFUL_RECORDS), 1, 1)]
    assert owner.dispatch.assignments[P0].care is None, "the next one takes no detour"


def test_the_mark_stands_at_the_committed_offset_though_the_next_record_lies_further() -> None:
    owner = Owner(Position(7, ""))
    assert owner.arrive(9) == [commit(7, "d1")]


def test_a_mark_is_asked_for_once_a_second_and_not_with_each_record() -> None:
    owner = Owner(Position(7, "d2"))
    owner.arrive(7)
    assert owner.waits() == [commit(7, "d3")]
    assert owner.arrive(8) == []


def test_a_record_behind_a_dead_letter_under_way_clears_the_suspicion_once() -> None:
    owner, poison = Owner(Position(7, "d1")), Arrival("7")
    poison.poison = "oversize"
    assert list(owner.dispatch.arrived(at(7), poison, NOW)) == [DeadLetter(at(7), "oversize", 1)]
    assert owner.arrive(8) == [commit(7, "d2")]
    assert owner.commits(7, "d2") == [Handle(at(8), 1, 1)]
    assert list(owner.dispatch.tick()) == []
    assert owner.handled(8) == [Complete(at(8))]
    assert list(owner.dispatch.tick()) == [commit(7, "d1")]
    assert list(owner.dispatch.tick()) == []


def test_only_the_first_attempt_that_ends_is_told_at_once() -> None:
    owner = Owner(Position(7, "d1"))
    owner.arrive(7, 8)
    owner.commits(7, "d2")
    owner.handled(7)
    owner.commits(8, "d1")
    broken = FailedAttempt(Kind.FAILURE, ValueError("broken"))
    failed = list(owner.dispatch.failed(at(8), 1, broken, now=NOW, jitter=0.0))
    assert failed == [Wait(at(8), NOW + timedelta(seconds=1), 1)]


def test_nothing_of_a_partition_that_leaves_begins_when_its_mark_is_taken() -> None:
    owner = Owner(Position(7, ""))
    owner.arrive(7)
    list(owner.dispatch.revoking([P0]))
    assert owner.commits(7, "d1") == []


def test_the_record_at_which_three_owners_ended_is_dead_lettered_unread() -> None:
    owner = Owner(Position(7, "d3"))
    assert owner.first == []
    assert owner.arrive(7, 8) == [DeadLetter(at(7), "kills-process", 1)]
    assert owner.commits(7, "d4") == []
    assert list(owner.dispatch.copied(at(7), 1)) == [Complete(at(7)), commit(8, "d1")]
    assert owner.commits(8, "d1") == [Handle(at(8), 1, 1)]


def test_records_that_wait_for_care_let_a_batch_begin_without_them() -> None:
    """Else each of two hundred records would wait alone for a batch to fill."""
    owner = Owner(Position(7, "d1"))
    owner.arrive(7, 8)
    owner.commits(7, "d2")
    assert owner.dispatch.is_blocked
    owner.handled(7)
    owner.commits(8, "d1")
    assert not owner.dispatch.is_blocked


def test_an_owner_that_dies_beside_an_idle_partition_is_not_counted() -> None:
    """Else whoever is killed three times in a row would be held against a record that nobody has seen."""
    owner = Owner(Position(7, "d2"))
    assert owner.first == []
    assert owner.waits() == []
    assert owner.arrive(7) == [commit(7, "d3")]


def test_what_two_owners_ended_at_waits_until_the_process_has_lived_a_while() -> None:
    """Else whoever kills processes soon after their start would be held against it."""
    owner = Owner(Position(7, "d2"))
    assert owner.arrive(7) == []
    assert owner.waits() == [commit(7, "d3")]


def test_a_good_end_leaves_no_count() -> None:
    owner = Owner(Position(7, ""))
    owner.arrive(7)
    owner.commits(7, "d1")
    owner.handled(7)
    assert owner.leaves() == [commit(8, ""), Drop(P0, 1)]
    idle = Owner(Position(7, ""))
    idle.commits(7, "d1")
    assert idle.leaves() == [commit(7, ""), Drop(P0, 1)]


@pytest.mark.parametrize("count", [1, 2])
def test_a_good_end_without_progress_hands_the_count_on(count: int) -> None:
    owner = Owner(Position(7, f"d{count}"))
    owner.commits(7, f"d{count + 1}")
    assert owner.leaves() == [commit(7, f"d{count}"), Drop(P0, 1)]


def test_a_good_end_under_care_commits_what_is_done() -> None:
    owner = Owner(Position(7, "d1"))
    owner.arrive(7, 8)
    owner.commits(7, "d2")
    owner.handled(7)
    assert owner.leaves() == [commit(8, ""), Drop(P0, 1)]


def test_where_nobody_committed_and_nothing_came_nothing_is_committed() -> None:
    assert Owner(None).leaves() == [Drop(P0, 1)]


def test_an_attempt_that_failed_has_not_killed() -> None:
    owner = Owner(Position(7, "d2"))
    owner.waits()
    owner.arrive(7)
    owner.commits(7, "d3")
    away = FailedAttempt(Kind.OUTAGE, Outage("refused", dependency="database"))
    assert commit(7, "d1") in list(owner.dispatch.failed(at(7), 1, away, now=NOW, jitter=0.0))
    assert list(owner.dispatch.tick()) == []
    assert owner.leaves() == [commit(7, ""), Drop(P0, 1)]


def test_lost_partitions_are_not_committed() -> None:
    owner = Owner(Position(7, ""))
    assert list(owner.dispatch.lost([P0], now=NOW, jitter=0.0)) == [Drop(P0, 1)]


def test_a_record_that_waits_for_its_time_is_marked_only_then() -> None:
    """Whoever is killed while nothing runs was not killed by what waits."""
    owner, later = Owner(Position(7, "d1")), NOW + timedelta(seconds=30)
    assert owner.arrive(7, due=later) == [Pause(frozenset({P0}), "not due"), Wait(at(7), later, 1)]
    assert list(owner.dispatch.tick()) == []
    assert commit(7, "d2") in list(owner.dispatch.due(at(7), 1, later))
    assert owner.commits(7, "d2") == [Handle(at(7), 1, 1)]


def test_a_skipped_record_behind_it_clears_no_suspicion() -> None:
    """Else a record that kills and has one behind it that nobody handles would kill for ever."""
    owner = Owner(Position(7, "d2"))
    owner.waits()
    assert owner.arrive(7) == [commit(7, "d3")]
    skipped = Arrival("8")
    skipped.skip = "no handler"
    list(owner.dispatch.arrived(at(8), skipped, NOW))
    assert list(owner.dispatch.tick()) == [commit(7, "d3")]
    assert owner.commits(7, "d3") == [Handle(at(7), 1, 1)]
    assert list(owner.dispatch.tick()) == []


def test_care_can_be_switched_off() -> None:
    owner = Owner(Position(7, "d3"), quarantine_after=0)
    assert owner.first == []
    assert owner.arrive(7) == [Handle(at(7), 1, 1)]
    owner.handled(7)
    assert list(owner.dispatch.tick()) == [commit(8, "")]
