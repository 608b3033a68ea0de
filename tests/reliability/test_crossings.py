"""Which points are struck: those of each fence, those that both pass with both."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from tests.reliability.crossings import Crossings
from tests.reliability.desks import Desks
from tests.reliability.errands import ERRANDS
from tests.reliability.points import Strike
from tests.reliability.rounds import Rounds
from tests.reliability.stack import Counter, Stack
from treaty_runtime.transport import FenceKind

SHARED = ["before COMMIT", "after COMMIT", "before DELETE outbox"]
OF_LANES = ["before lane begin", "after lane commit"]


def chosen(fence: FenceKind, *, kills: int = 0, only: str = "") -> list[Strike[FenceKind]]:
    """Of lives with either fence, one in which all goes well and one in which every call fails once."""
    stack = Stack(bootstrap="127.0.0.1:1", database="postgresql+psycopg://127.0.0.1:1/none")
    run = Crossings(stack, "redis://127.0.0.1:1", "http://127.0.0.1:1", Path("none"), seed=1)
    passed: dict[FenceKind, list[str]] = {"lease": SHARED, "transaction": [*SHARED, *OF_LANES]}
    for each, points in passed.items():
        run._points[each].note(points, where=each, fails=False)
        run._points[each].note([*points, f"answer, {each}"], where=each, fails=True)
    return run._points[fence].chosen(kills=kills, only=only)


def test_a_point_that_both_fences_pass_is_struck_with_both() -> None:
    struck = chosen("transaction")
    assert [strike.point for strike in struck] == [*SHARED, *OF_LANES, "answer, transaction"]
    assert {strike.where for strike in struck} == {"transaction"}


def test_a_point_is_struck_in_the_life_that_passed_it_first() -> None:
    struck = [*(Strike(point, "lease", False) for point in SHARED), Strike("answer, lease", "lease", True)]
    assert chosen("lease") == struck


def test_so_many_points_as_are_asked_for_are_spread_over_all() -> None:
    assert [strike.point for strike in chosen("transaction", kills=3)] == [
        "before COMMIT", "before DELETE outbox", "after lane commit",
    ]  # fmt: skip
    assert len(chosen("lease", kills=50)) == 4


def test_only_the_points_that_are_asked_for_are_struck() -> None:
    assert [strike.point for strike in chosen("lease", only="COMMIT")] == ["before COMMIT", "after COMMIT"]
    assert chosen("lease", only="lane begin") == []


def typed(only: str) -> list[str]:
    stack = Stack(bootstrap="127.0.0.1:1", database="postgresql+psycopg://127.0.0.1:1/none")
    desks = Desks(Rounds(stack, "none"), cast("Counter", None), Path("none"), only=only)
    return [errand.name for errand in ERRANDS if desks._is_wanted(errand)]


def test_only_commands_that_can_pass_what_is_asked_for_are_typed() -> None:
    assert typed("treaty outbox") == ["outbox retry", "outbox discard"]
    assert typed("after treaty dlq replay: Kafka ends") == ["dlq replay"]
    assert typed("COMMIT") == typed("treaty ") == [errand.name for errand in ERRANDS]
