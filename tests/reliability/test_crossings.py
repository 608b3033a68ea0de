"""Which points are struck: those of each fence, those that both pass with both."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from tests.reliability.crossings import Blow, Crossings
from tests.reliability.desks import Desks
from tests.reliability.errands import ERRANDS
from tests.reliability.rounds import Rounds
from tests.reliability.stack import Counter, Stack
from treaty_runtime.transport import FenceKind

SHARED = ["before COMMIT", "after COMMIT", "before DELETE outbox"]
OF_LANES = ["before lane begin", "after lane commit"]


def crossings(*, kills: int = 0, only: str = "") -> Crossings:
    stack = Stack(bootstrap="127.0.0.1:1", database="postgresql+psycopg://127.0.0.1:1/none")
    run = Crossings(stack, "redis://127.0.0.1:1", "http://127.0.0.1:1", Path("none"), seed=1, kills=kills, only=only)
    passed: dict[FenceKind, list[str]] = {"lease": SHARED, "transaction": [*SHARED, *OF_LANES]}
    for fence, points in passed.items():
        run._note(points, fence=fence, fails=False)
        run._note([*points, f"answer, {fence}"], fence=fence, fails=True)
    return run


def test_a_point_that_both_fences_pass_is_struck_with_both() -> None:
    struck = crossings()._chosen("transaction")
    assert [blow.point for blow in struck] == [*SHARED, *OF_LANES, "answer, transaction"]
    assert {blow.fence for blow in struck} == {"transaction"}


def test_a_point_is_struck_in_the_life_that_passed_it_first() -> None:
    struck = crossings()._chosen("lease")
    assert struck == [*(Blow(point, "lease", False) for point in SHARED), Blow("answer, lease", "lease", True)]


def test_so_many_points_as_are_asked_for_are_spread_over_all() -> None:
    assert [blow.point for blow in crossings(kills=3)._chosen("transaction")] == [
        "before COMMIT", "before DELETE outbox", "after lane commit",
    ]  # fmt: skip
    assert len(crossings(kills=50)._chosen("lease")) == 4


def test_only_the_points_that_are_asked_for_are_struck() -> None:
    assert [blow.point for blow in crossings(only="COMMIT")._chosen("lease")] == ["before COMMIT", "after COMMIT"]
    assert crossings(only="lane begin")._chosen("lease") == []


def typed(only: str) -> list[str]:
    stack = Stack(bootstrap="127.0.0.1:1", database="postgresql+psycopg://127.0.0.1:1/none")
    desks = Desks(Rounds(stack, "none"), cast("Counter", None), Path("none"), only=only)
    return [errand.name for errand in ERRANDS if desks._is_wanted(errand)]


def test_only_commands_that_can_pass_what_is_asked_for_are_typed() -> None:
    assert typed("treaty outbox") == ["outbox retry", "outbox discard"]
    assert typed("after treaty dlq replay: Kafka ends") == ["dlq replay"]
    assert typed("COMMIT") == typed("treaty ") == [errand.name for errand in ERRANDS]
