"""The watermark never passes unfinished work, whatever the order of completions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from treaty_runtime.consume.watermark import Watermark


def test_nothing_arrived_means_nothing_to_commit() -> None:
    assert Watermark().position is None


def test_the_first_unfinished_offset_holds_the_watermark() -> None:
    mark = Watermark()
    for offset in (10, 11, 12):
        assert mark.arrived(offset)
    mark.completed(11)
    mark.completed(12)
    assert (mark.position, mark.unfinished, mark.gap) == (10, 1, 3)
    mark.completed(10)
    assert (mark.position, mark.unfinished, mark.gap) == (13, 0, 0)


def test_gaps_between_offsets_are_no_work() -> None:
    mark = Watermark()
    mark.arrived(5)
    mark.arrived(900)
    mark.completed(5)
    assert mark.position == 900
    mark.completed(900)
    assert mark.position == 901


def test_an_offset_before_what_arrived_is_not_taken() -> None:
    mark = Watermark()
    assert mark.arrived(7)
    assert not mark.arrived(7)
    assert not mark.arrived(3)
    assert mark.unfinished == 1


@given(st.lists(st.integers(0, 200), unique=True, min_size=1).map(sorted), st.data())
def test_the_position_is_the_first_unfinished_offset(offsets: list[int], data: st.DataObject) -> None:
    mark = Watermark()
    unfinished: set[int] = set()
    pending = list(offsets)
    while pending or unfinished:
        if pending and (not unfinished or data.draw(st.booleans())):
            offset = pending.pop(0)
            assert mark.arrived(offset)
            unfinished.add(offset)
        else:
            offset = data.draw(st.sampled_from(sorted(unfinished)))
            mark.completed(offset)
            unfinished.remove(offset)
        newest = max(offset for offset in offsets if offset not in pending)
        assert mark.position == (min(unfinished) if unfinished else newest + 1)
        assert mark.unfinished == len(unfinished)
