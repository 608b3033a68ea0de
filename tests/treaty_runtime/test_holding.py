"""Keys that wait behind a failed record: each row of the dispatch table, without threads, clocks or tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from treaty_runtime.classify import Kind
from treaty_runtime.consume.actions import (
    Action,
    Commit,
    Complete,
    DeadLetter,
    Drop,
    Fetch,
    Handle,
    Hold,
    Load,
    Pause,
    Probe,
    Release,
    Resume,
    Wait,
)
from treaty_runtime.consume.care import CALM_TICKS
from treaty_runtime.consume.dispatch import Dispatch
from treaty_runtime.consume.facts import Arrival, FailedAttempt, HeldFact
from treaty_runtime.consume.trial import PATIENCE_TICKS, Trial
from treaty_runtime.errors import Outage, Reject
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.limits import Limits, Marks, OnFailure
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.transport import Position

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECOND, TEN = timedelta(seconds=1), timedelta(seconds=10)
P0, P1 = Partition("orders", 0), Partition("orders", 1)
POLICY = RetryPolicy(delays=("10s", "60s"), jitter=0)


def at(offset: int, partition: Partition = P0) -> Place:
    return Place(*partition, offset)


def record(offset: int) -> Record:
    return Record(at(offset), b"a", b"value")


class Table:
    """A dispatch that holds keys, its partitions loaded."""

    def __init__(
        self,
        *rows: HeldFact,
        quarantine_after: int = 0,
        loads: bool = True,
        marks: Marks | None = None,
        trial: Trial | None = None,
        workers: int = 32,
    ) -> None:
        limits = Limits(quarantine_after=quarantine_after, commit_every=100, marks=marks or Marks())
        self.dispatch = Dispatch(group="g", policy=POLICY, limits=limits, trial=trial, held_at_once=workers)
        self.first = list(self.dispatch.assigned([P0]))
        self.loaded = list(self.dispatch.holding.loaded(P0, 1, rows, NOW)) if loads else []

    def arrive(self, offset: int, lane: str | None = "a") -> list[Action]:
        return list(self.dispatch.arrived(at(offset), Arrival(lane, 5, record(offset)), NOW))

    def fail(self, offset: int, on_failure: OnFailure = "hold_key", kind: Kind = Kind.FAILURE) -> list[Action]:
        error = {Kind.OUTAGE: Outage("refused", dependency="database"), Kind.POISON: Reject("no")}.get(kind)
        failed = FailedAttempt(kind, error or RuntimeError("broken"), on_failure)
        return list(self.dispatch.failed(at(offset), 1, failed, now=NOW, jitter=0.0))

    def held(self, offset: int) -> list[Action]:
        return list(self.dispatch.holding.held(at(offset), 1, NOW))

    def due(self, offset: int) -> list[Action]:
        return list(self.dispatch.due(at(offset), 1, NOW + TEN))

    def fetched(self, offset: int, begun: int = 0) -> list[Action]:
        return list(self.dispatch.holding.fetched(at(offset), 1, record(offset), begun))

    def handled(self, offset: int) -> list[Action]:
        return list(self.dispatch.handled(at(offset), 1))

    def hold(self, offset: int) -> None:
        """Fails the record and takes it into the table."""
        self.arrive(offset)
        self.fail(offset)
        self.held(offset)


def test_nothing_of_a_partition_begins_before_it_is_known_what_is_held_of_it() -> None:
    table = Table(loads=False)
    assert table.first == [Pause(frozenset({P0}), "loading"), Load(P0, 1)]
    assert table.arrive(0) == []
    assert list(table.dispatch.holding.loaded(P0, 1, [], NOW)) == [Resume(frozenset({P0})), Handle(at(0), 1, 1)]


def test_a_failing_record_goes_into_the_table_and_is_complete_when_it_is_there() -> None:
    table = Table()
    table.arrive(0)
    assert table.fail(0) == [Hold(at(0), 2, NOW + TEN, 1)]
    assert list(table.dispatch.tick()) == [Commit({P0: Position(0)})]
    assert table.held(0) == [Complete(at(0)), Wait(at(0), NOW + TEN, 1)]
    assert list(table.dispatch.tick()) == [Commit({P0: Position(1)})]
    assert table.dispatch.holding.keys == 1


def test_the_later_records_of_its_key_follow_and_others_go_on() -> None:
    table = Table()
    for offset in (0, 1, 2):
        table.arrive(offset)
    table.fail(0)
    assert table.held(0) == [
        Complete(at(0)),
        Hold(at(1), 1, None, 1),
        Hold(at(2), 1, None, 1),
        Wait(at(0), NOW + TEN, 1),
    ]
    assert table.held(1) == [Complete(at(1))]
    assert table.arrive(3) == [Hold(at(3), 1, None, 1)]
    assert table.arrive(4, "b") == [Handle(at(4), 1, 1)]


def test_a_held_record_runs_as_the_head_of_its_key_and_then_the_next_one_does() -> None:
    table = Table()
    table.hold(0)
    table.arrive(1)
    table.held(1)
    assert table.due(0) == [Fetch(at(0), 1)]
    assert table.fetched(0) == [Handle(at(0), 2, 1)]
    assert table.handled(0) == [Complete(at(0)), Fetch(at(1), 1)]
    assert table.fetched(1) == [Handle(at(1), 1, 1)]
    assert table.handled(1) == [Complete(at(1))]
    assert table.dispatch.lanes == table.dispatch.holding.count == 0
    assert table.arrive(2) == [Handle(at(2), 1, 1)]


def test_a_held_record_that_fails_again_waits_for_its_next_attempt_in_the_table() -> None:
    table = Table()
    table.hold(0)
    table.due(0)
    table.fetched(0)
    assert table.fail(0) == [Hold(at(0), 3, NOW + 6 * TEN, 1, is_again=True)]
    assert table.held(0) == [Wait(at(0), NOW + 6 * TEN, 1)]


def test_whatever_its_handler_wants_a_held_record_stays_in_the_table() -> None:
    table = Table()
    table.hold(0)
    table.due(0)
    table.fetched(0)
    assert table.fail(0, on_failure="skip") == [Hold(at(0), 3, NOW + 6 * TEN, 1, is_again=True)]


@pytest.mark.parametrize(("kind", "reason"), [(Kind.FAILURE, "failed"), (Kind.POISON, "rejected")])
def test_after_the_last_attempt_the_head_is_dead_lettered_and_the_next_runs(kind: Kind, reason: str) -> None:
    table = Table(HeldFact(offset=0, lane="a", attempt=3, due=None), HeldFact(offset=1, lane="a", attempt=1, due=None))
    assert table.loaded == [Fetch(at(0), 1), Resume(frozenset({P0}))]
    table.fetched(0)
    assert table.fail(0, kind=kind) == [DeadLetter(at(0), reason, 1)]
    assert list(table.dispatch.copied(at(0), 1)) == [Release(at(0), 1)]
    assert table.handled(0) == [Complete(at(0)), Fetch(at(1), 1)]


def test_what_is_held_is_loaded_in_order_and_waits_for_its_time() -> None:
    rows = [HeldFact(offset=offset, lane="a", attempt=2, due=NOW + TEN) for offset in (3, 7)]
    table = Table(*rows)
    assert table.loaded == [Wait(at(3), NOW + TEN, 1), Resume(frozenset({P0}))]
    assert table.dispatch.holding.count == 2
    assert table.arrive(8) == [Hold(at(8), 1, None, 1)]


def test_what_was_fetched_of_the_table_has_begun_and_nothing_else() -> None:
    table = Table(
        *(HeldFact(offset=offset, lane=lane, attempt=2, due=NOW + TEN) for offset, lane in ((3, "a"), (4, "b")))
    )
    assert table.due(3) == [Fetch(at(3), 1)]
    assert table.dispatch.holding.begun([P0, P1]) == []
    table.fetched(3)
    assert table.dispatch.holding.begun([P0, P1]) == [at(3)]


def test_a_record_that_was_held_but_not_committed_is_complete_when_it_comes_again() -> None:
    table = Table(HeldFact(offset=0, lane="a", attempt=2, due=NOW + TEN))
    assert table.arrive(0) == []
    assert list(table.dispatch.tick()) == [Commit({P0: Position(1)})]


def test_a_record_on_its_way_into_the_table_runs_when_it_is_there_if_the_head_ended_first() -> None:
    table = Table()
    table.hold(0)
    table.arrive(1)
    table.due(0)
    table.fetched(0)
    assert table.handled(0) == [Complete(at(0))]
    assert table.held(1) == [Complete(at(1)), Fetch(at(1), 1)]


def test_a_record_without_a_key_is_held_alone() -> None:
    table = Table()
    table.arrive(0, None)
    table.fail(0)
    assert table.held(0) == [Complete(at(0)), Wait(at(0), NOW + TEN, 1)]
    assert table.arrive(1, None) == [Handle(at(1), 1, 1)]


def test_a_table_that_does_not_answer_is_an_outage_and_counts_no_attempt() -> None:
    table = Table()
    table.arrive(0)
    table.fail(0)
    pause, probe = table.dispatch.holding.not_held(at(0), 1, now=NOW, jitter=0.0)
    assert pause == Pause(frozenset({P0}), "outage")
    assert isinstance(probe, Probe)
    assert table.due(0) == [Hold(at(0), 2, NOW + TEN, 1)]
    assert table.held(0) == [Resume(frozenset({P0})), Complete(at(0)), Wait(at(0), NOW + TEN, 1)]


def test_a_held_record_that_processes_died_of_is_dead_lettered_unread() -> None:
    table = Table(HeldFact(offset=0, lane="a", attempt=2, due=None, begun=2), quarantine_after=3)
    assert [each for _ in range(CALM_TICKS) for each in table.dispatch.tick()] == [Fetch(at(0), 1)]
    assert table.fetched(0, begun=2) == [Handle(at(0), 2, 1)]
    table = Table(HeldFact(offset=0, lane="a", attempt=2, due=None, begun=3), quarantine_after=3)
    assert table.fetched(0, begun=3) == [DeadLetter(at(0), "kills-process", 1)]


def test_an_end_that_a_held_record_may_have_caused_buries_no_other_record() -> None:
    """The commit's metadata says that three processes ended at offset 5; a held record ran each time."""
    dispatch = Dispatch(group="g", policy=POLICY, limits=Limits(), held_at_once=32)
    list(dispatch.assigned([P0], {P0: Position(5, "d3")}))
    list(dispatch.committed({P0: Position(5, "d4")}))
    list(dispatch.holding.loaded(P0, 1, [HeldFact(offset=0, lane="a", attempt=2, due=None, begun=3)], NOW))
    assert list(dispatch.arrived(at(5), Arrival("b"), NOW)) == [Handle(at(5), 1, 1)]


def test_a_record_that_waited_for_its_mark_follows_its_key_into_the_table() -> None:
    """Else it would run before the held one."""
    table = Table(HeldFact(offset=0, lane="a", attempt=2, due=NOW + TEN), quarantine_after=3)
    assert table.arrive(5) == [Commit({P0: Position(5, "d1")})]
    assert list(table.dispatch.committed({P0: Position(5, "d1")})) == [Hold(at(5), 1, None, 1)]


def test_a_partition_that_leaves_takes_its_held_records_with_it() -> None:
    table = Table()
    table.hold(0)
    table.arrive(1, "b")
    assert list(table.dispatch.lost([P0], now=NOW, jitter=0.0)) == [Drop(P0, 1)]
    assert table.due(0) == []
    assert table.held(0) == [Drop(P0, 1)]
    assert table.fetched(0) == [Drop(P0, 1)]
    assert table.dispatch.holding.count == table.dispatch.lanes == 0


def test_a_held_record_under_way_keeps_its_partition_until_it_ends() -> None:
    table = Table()
    table.hold(0)
    table.due(0)
    table.fetched(0)
    list(table.dispatch.revoking([P0]))
    assert not table.dispatch.is_drained([P0])
    table.handled(0)
    assert table.dispatch.is_drained([P0])


def heads(*offsets: int) -> list[HeldFact]:
    """Rows of keys of their own, all due."""
    return [HeldFact(offset=offset, lane=f"o-{offset}", attempt=2, due=None) for offset in offsets]


def test_so_many_held_records_are_fetched_as_workers_run() -> None:
    """After a long outage thousands of keys may be due at once: no more values are in memory than there are workers for."""
    table = Table(*heads(0, 1, 2, 3), workers=2)
    assert table.loaded == [Fetch(at(0), 1), Fetch(at(1), 1), Resume(frozenset({P0}))]
    table.fetched(1)
    assert table.handled(1) == [Complete(at(1)), Fetch(at(2), 1)]
    table.fetched(0)
    table.fail(0)
    assert table.held(0) == [Wait(at(0), NOW + 6 * TEN, 1), Fetch(at(3), 1)]
    assert table.due(0) == []
    table.fetched(2)
    assert table.handled(2) == [Complete(at(2)), Fetch(at(0), 1)]


def test_held_records_go_on_while_a_suspect_runs() -> None:
    table = Table(*suspects(0), *heads(1, 2), workers=2, quarantine_after=3)
    assert table.loaded == [Fetch(at(0), 1), Fetch(at(1), 1), Resume(frozenset({P0}))]
    table.fetched(1)
    assert table.handled(1) == [Complete(at(1)), Fetch(at(2), 1)]


def test_a_held_record_that_meets_a_conflict_keeps_its_turn() -> None:
    table = Table(*heads(0, 1), workers=1)
    table.fetched(0)
    assert table.fail(0, kind=Kind.CONFLICT) == [Handle(at(0), 2, 1, record(0))]
    table.handled(0)
    assert table.fetched(1) == [Handle(at(1), 2, 1, record(1))]


def test_held_records_that_wait_for_a_worker_come_through_an_outage() -> None:
    table = Table(*heads(0, 1, 2, 3), workers=2)
    table.fetched(0)
    table.fail(0, kind=Kind.OUTAGE)
    assert table.fetched(1) == []  # it is parked
    table.due(0)
    assert [each for each in table.handled(0) if isinstance(each, Handle | Fetch)] == [
        Handle(at(1), 2, 1, record(1)),
        Fetch(at(2), 1),
    ]
    assert table.handled(1) == [Complete(at(1)), Fetch(at(3), 1)]


def test_the_turns_of_a_partition_that_leaves_are_given_to_others() -> None:
    table = Table(*heads(0, 1, 2), workers=2)
    (epoch,) = (each.epoch for each in table.dispatch.assigned([P1]) if isinstance(each, Load))
    list(table.dispatch.holding.loaded(P1, epoch, heads(5, 6, 7), NOW))
    left = list(table.dispatch.lost([P0], now=NOW, jitter=0.0))
    assert left == [Drop(P0, 1), Fetch(at(5, P1), epoch), Fetch(at(6, P1), epoch)]


def test_a_stalled_held_record_waits_in_the_table_and_others_go_on() -> None:
    """While the registry is away only the keys that need it wait."""
    table = Table(*heads(0, 1), workers=1)
    table.fetched(0)
    assert table.fail(0, kind=Kind.STALLED) == [Hold(at(0), 2, NOW + SECOND / 4, 1, is_again=True)]
    assert table.held(0) == [Wait(at(0), NOW + SECOND / 4, 1), Fetch(at(1), 1)]


def test_other_keys_have_their_turn_before_the_next_record_of_a_key_that_had_it() -> None:
    rows = [HeldFact(offset=offset, lane=lane, attempt=2, due=None) for offset, lane in enumerate("aaab")]
    table = Table(*rows, workers=1)
    table.fetched(0)
    assert table.handled(0) == [Complete(at(0)), Fetch(at(3), 1)]
    table.fetched(3)
    assert table.handled(3) == [Complete(at(3)), Fetch(at(1), 1)]


def test_who_has_no_turn_does_not_probe() -> None:
    """It would be fetched beside the suspect that is tried, and count as begun."""
    later = HeldFact(offset=3, lane="o-3", attempt=2, due=NOW + TEN, begun=1)
    table = Table(*suspects(0), later, quarantine_after=3)
    (epoch,) = (each.epoch for each in table.dispatch.assigned([P1]) if isinstance(each, Load))
    list(table.dispatch.holding.loaded(P1, epoch, heads(5), NOW))
    table.fetched(0, begun=1)
    list(table.dispatch.holding.not_held(at(5, P1), epoch, now=NOW, jitter=0.0))
    assert table.due(3) == []
    assert list(table.dispatch.lost([P1], now=NOW, jitter=0.0))[-1] == Resume(frozenset({P0}))
    assert table.handled(0) == [Complete(at(0))]
    assert list(table.dispatch.tick()) == [Fetch(at(3), 1)]


def suspects(*offsets: int, begun: int = 1) -> list[HeldFact]:
    """Rows of keys of their own, at which processes ended."""
    return [HeldFact(offset=offset, lane=f"o-{offset}", attempt=2, due=None, begun=begun) for offset in offsets]


def test_of_records_at_which_processes_ended_one_runs_at_a_time() -> None:
    """Else one of them would take all others with it: each death is counted against everything that has begun."""
    fresh = HeldFact(offset=9, lane="o-9", attempt=2, due=None, begun=0)
    table = Table(*suspects(0, 1, 2), fresh, quarantine_after=3)
    assert [each for each in table.loaded if isinstance(each, Fetch)] == [Fetch(at(0), 1), Fetch(at(9), 1)]
    assert table.fetched(0, begun=1) == [Handle(at(0), 2, 1)]
    assert table.handled(0) == [Complete(at(0))]
    assert list(table.dispatch.tick()) == [Fetch(at(1), 1)]
    assert table.fetched(1, begun=3) == [DeadLetter(at(1), "kills-process", 1)]
    assert list(table.dispatch.copied(at(1), 1)) == [Release(at(1), 1)]
    assert table.handled(1) == [Complete(at(1))]
    assert list(table.dispatch.tick()) == [Fetch(at(2), 1)]
    assert table.fetched(2, begun=1) == [Handle(at(2), 2, 1)]
    assert table.handled(2) == [Complete(at(2))]


def test_a_suspect_that_fails_is_none_any_more_and_the_next_one_runs() -> None:
    table = Table(*suspects(0, 1), quarantine_after=3)
    table.fetched(0, begun=1)
    assert table.fail(0) == [Hold(at(0), 3, NOW + 6 * TEN, 1, is_again=True)]
    assert table.held(0) == [Wait(at(0), NOW + 6 * TEN, 1)]
    assert table.due(0) == [Fetch(at(0), 1)]
    assert list(table.dispatch.tick()) == [Fetch(at(1), 1)]


def test_a_suspect_that_leaves_with_its_partition_gives_its_turn_to_another() -> None:
    table = Table(*suspects(0, 1), quarantine_after=3)
    (epoch,) = (each.epoch for each in table.dispatch.assigned([P1]) if isinstance(each, Load))
    assert list(table.dispatch.holding.loaded(P1, epoch, suspects(5), NOW)) == [Resume(frozenset({P1}))]
    list(table.dispatch.revoking([P0]))
    assert Drop(P0, 1) in list(table.dispatch.revoked([P0], now=NOW, jitter=0.0))
    assert list(table.dispatch.tick()) == [Fetch(at(5, P1), epoch)]


def test_a_suspects_turn_ends_with_its_own_attempt_and_who_has_left_is_passed_over() -> None:
    table = Table(*suspects(0, 1), HeldFact(offset=9, lane="o-9", attempt=2, due=None), quarantine_after=3)
    (epoch,) = (each.epoch for each in table.dispatch.assigned([P1]) if isinstance(each, Load))
    list(table.dispatch.holding.loaded(P1, epoch, suspects(5), NOW))
    table.fetched(9)
    assert table.handled(9) == [Complete(at(9))]
    assert list(table.dispatch.lost([P1], now=NOW, jitter=0.0)) == [Drop(P1, epoch)]
    table.fetched(0, begun=1)
    assert table.handled(0) == [Complete(at(0))]
    assert list(table.dispatch.tick()) == [Fetch(at(1), 1)]
    table.fetched(1, begun=1)
    assert table.handled(1) == [Complete(at(1))]
    assert list(table.dispatch.tick()) == []


def test_two_groups_of_a_process_try_one_suspect_at_a_time() -> None:
    trial = Trial()
    first, second = (
        Table(*suspects(0), trial=trial, quarantine_after=3),
        Table(*suspects(1), trial=trial, quarantine_after=3),
    )
    assert second.loaded == [Resume(frozenset({P0}))]
    first.fetched(0, begun=1)
    assert list(second.dispatch.tick()) == []
    first.handled(0)
    assert list(second.dispatch.tick()) == [Fetch(at(1), 1)]


def test_a_suspected_partition_waits_for_a_suspect_among_held_records() -> None:
    """Else a record that kills would take a held one with it."""
    table = Table(loads=False, quarantine_after=3)
    list(table.dispatch.assigned([P1], {P1: Position(5, "d1")}))
    list(table.dispatch.holding.loaded(P0, 1, suspects(0), NOW))
    list(table.dispatch.holding.loaded(P1, 1, [], NOW))
    assert list(table.dispatch.arrived(at(5, P1), Arrival("b"), NOW)) == []
    assert list(table.dispatch.tick()) == []
    table.fetched(0, begun=1)
    table.handled(0)
    assert list(table.dispatch.tick()) == [Commit({P1: Position(5, "d2")})]


def test_a_suspect_that_takes_long_lets_others_begin_and_goes_on() -> None:
    table = Table(*suspects(0, 1, 2), quarantine_after=3)
    assert [each for _ in range(PATIENCE_TICKS) for each in table.dispatch.tick(is_second=False)] == []
    for begun in (1, 2):
        for _ in range(PATIENCE_TICKS - 1):
            assert list(table.dispatch.tick()) == []
        assert list(table.dispatch.tick()) == [Fetch(at(begun), 1)]
    assert table.fetched(0, begun=1) == [Handle(at(0), 2, 1, record(0))]
    assert table.handled(0) == [Complete(at(0))]
    assert table.fetched(1, begun=1) == [Handle(at(1), 2, 1, record(1))]


def test_where_two_processes_ended_nothing_begins_soon_after_the_start() -> None:
    """Who kills processes from outside does it then, and would be counted."""
    table = Table(*suspects(0, begun=2), *suspects(1), quarantine_after=3)
    assert table.loaded == [Fetch(at(1), 1), Resume(frozenset({P0}))]
    table.fetched(1, begun=1)
    assert table.handled(1) == [Complete(at(1))]
    for _ in range(CALM_TICKS - 1):
        assert list(table.dispatch.tick()) == []
    assert list(table.dispatch.tick()) == [Fetch(at(0), 1)]


def test_a_suspect_that_meets_an_outage_is_none_any_more_and_nobody_is_forgotten() -> None:
    table = Table(*suspects(0, 1, 2), quarantine_after=3)
    table.fetched(0, begun=1)
    table.fail(0, kind=Kind.OUTAGE)
    assert table.due(0) == [Handle(at(0), 2, 1)]
    assert [*table.dispatch.tick(), *table.dispatch.tick()] == []
    assert [each for each in table.handled(0) if isinstance(each, Fetch)] == [Fetch(at(1), 1)]
    table.fetched(1, begun=1)
    assert table.handled(1) == [Complete(at(1))]
    assert list(table.dispatch.tick()) == [Fetch(at(2), 1)]
