"""Nobody of a crowd is lost without a word."""

from __future__ import annotations

from tests.e2e.crowd import Crowd
from tests.parts.waiting import wait_until


def test_one_that_could_not_go_on_is_told_and_the_others_go_on() -> None:
    crowd, steps = Crowd(), list[int]()

    def stumbles(word: str) -> None:
        raise KeyError(word)

    def is_right() -> None:
        assert not steps, "somebody has begun"

    def walks() -> None:
        while crowd.goes_on(0.001):
            steps.append(1)
            if len(crowd.faults) == 2:
                steps.append(2)

    def waits_and_checks() -> None:
        wait_until(lambda: steps)
        is_right()

    crowd.joins(stumbles, "available")
    crowd.joins(waits_and_checks)
    crowd.joins(walks)
    with crowd:
        wait_until(lambda: 2 in steps)
    told = sorted(fault.partition("\n")[0] for fault in crowd.faults)
    assert told == ["somebody has begun", "stumbles: KeyError('available')"]
