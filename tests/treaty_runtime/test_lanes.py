"""Records of one key take turns, through partitions that leave meanwhile; who waits is counted. No thread, no clock."""

from __future__ import annotations

from tests.treaty_runtime.dispatch_table import NOW, P0, P1, Table, at
from treaty_runtime.consume.actions import Commit, Complete, Drop, Handle
from treaty_runtime.transport import Position


def test_many_records_of_a_key_run_one_after_the_other_in_their_order() -> None:
    table = Table()
    for offset in range(3):
        table.arrive(at(offset))
    for offset in range(2):
        assert table.handled(at(offset)) == [Complete(at(offset)), Handle(at(offset + 1), 1, 1)]
    assert table.handled(at(2)) == [Complete(at(2))]


def test_records_wait_for_their_turn_until_the_last_has_it() -> None:
    table = Table()
    blocked = []
    for offset in range(3):
        table.arrive(at(offset))
        blocked.append(table.dispatch.is_blocked)
    for offset in range(3):
        table.handled(at(offset))
        blocked.append(table.dispatch.is_blocked)
    assert blocked == [False, True, True, True, False, False]


def test_a_record_of_a_partition_that_leaves_is_passed_over_in_its_lane() -> None:
    table = Table(P0, P1)
    table.arrive(at(0, P1))
    table.arrive(at(0))
    table.arrive(at(1, P1))
    list(table.dispatch.revoking([P0]))
    assert table.handled(at(0, P1)) == [Complete(at(0, P1)), Handle(at(1, P1), 1, 1)]
    assert not table.dispatch.is_blocked


def test_a_record_whose_partition_left_while_it_waited_never_has_its_turn() -> None:
    table = Table(P0, P1)
    table.arrive(at(0, P1))
    table.arrive(at(0))
    assert list(table.dispatch.revoked([P0], now=NOW, jitter=0.0)) == [Commit({P0: Position(0)}), Drop(P0, 1)]
    assert table.handled(at(0, P1)) == [Complete(at(0, P1))]
    assert table.dispatch.lanes == 0
    assert not table.dispatch.is_blocked
