"""A log that goes on before its end: its topic was deleted and made anew, or its brokers lost records. What comes is handled."""

from __future__ import annotations

from tests.treaty_runtime.dispatch_table import NOW, P0, P1, Table, at
from treaty_runtime.consume.actions import Action, Commit, Drop, Handle, Pause, Rewound
from treaty_runtime.event import Partition, Record
from treaty_runtime.transport import Position


def reads_again(table: Table, partition: Partition = P0) -> list[Action]:
    """What the source does with a rewound partition: it is lost, and assigned again."""
    return [*table.dispatch.lost([partition], now=NOW, jitter=0.0), *table.dispatch.assigned([partition])]


def test_what_comes_of_the_new_log_is_handled_and_its_offsets_are_committed() -> None:
    table = Table()
    table.arrive(at(1000))
    table.handled(at(1000))
    assert list(table.dispatch.tick()) == [Commit({P0: Position(1001)})]
    assert table.arrive(at(0)) == [Rewound(at(0))]
    assert table.arrive(at(1)) == [], "it comes again, in its place"
    assert list(table.dispatch.tick()) == []
    assert reads_again(table) == [Drop(P0, 1)]
    assert table.arrive(at(0)) == [Handle(at(0), 1, 2)]
    assert table.arrive(at(1), "b") == [Handle(at(1), 1, 2)]
    table.handled(at(0), epoch=2)
    table.handled(at(1), epoch=2)
    assert list(table.dispatch.tick()) == [Commit({P0: Position(2)})]


def test_what_was_not_finished_before_the_cut_is_read_again_too() -> None:
    table = Table()
    table.arrive(at(7), "a")
    table.arrive(at(8), "b")
    table.arrive(at(9), "c")
    table.handled(at(9))
    assert table.arrive(at(9), "c") == [Rewound(at(7))]


def test_a_record_that_is_only_fetched_once_more_is_no_second_work() -> None:
    table = Table()
    first, again, other = (Record(place=at(7), key=b"a", value=value) for value in (b"v", b"v", b"anew"))
    table.arrive(at(7), "a", record=first)
    assert table.arrive(at(7), "a", record=again) == []
    assert table.arrive(at(7), "a", record=other) == [Rewound(at(7))]


def test_whoever_gets_the_partition_at_that_moment_begins_where_the_log_goes_on() -> None:
    table = Table()
    table.arrive(at(1000))
    table.handled(at(1000))
    table.arrive(at(3))
    list(table.dispatch.revoking([P0]))
    assert list(table.dispatch.revoked([P0], now=NOW, jitter=0.0)) == [Commit({P0: Position(3)}), Drop(P0, 1)]


def test_in_an_outage_the_new_log_waits_like_all_others() -> None:
    table = Table(P0, P1)
    table.arrive(at(10), "a")
    table.arrive(at(3, P1), "b")
    table.outage(at(10))
    table.outage(at(3, P1))
    assert table.arrive(at(0), "c") == [Rewound(at(0))]
    assert Pause(frozenset({P0}), "outage") in reads_again(table)
    assert table.arrive(at(0), "c") == []
