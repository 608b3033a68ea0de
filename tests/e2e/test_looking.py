"""Looks that never work are told, and so is everything that one look finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, count

from sqlalchemy.exc import OperationalError

from tests.e2e.looking import Looking
from tests.parts.waiting import wait_until

EVERY = 0.001


def refuses() -> Iterable[str]:
    raise OperationalError("SELECT availabel", None, Exception("no such column: availabel"))


def breaks() -> Iterable[str]:
    raise KeyError("available")


def looked(look: Callable[[], Iterable[str]], *, times: int) -> Looking:
    """What looks that many times."""
    asked = count(1)
    begun = 0

    def counted() -> Iterable[str]:
        nonlocal begun
        begun = next(asked)
        return look()

    with Looking(counted, every=EVERY) as looking:
        wait_until(lambda: begun >= times)
    return looking


def test_looks_that_the_database_refuses_every_time_are_no_looks() -> None:
    looking = looked(refuses, times=3)
    assert looking.looks == 0
    (told,) = looking.faults(least=1)
    assert told.startswith("looking: 0 looks instead of 1")
    assert "no such column: availabel" in told


def test_one_that_cannot_look_says_so_and_goes_on() -> None:
    looking = looked(breaks, times=3)
    assert looking.faults(least=0) == ["looking: KeyError('available')"]
    assert looking.looks >= 2


def test_a_fault_that_is_gone_at_the_next_look_is_told_once() -> None:
    answers = chain([["stock: 3"], ["stock: 3"]], iter(list, None))
    looking = looked(lambda: next(answers), times=4)
    assert looking.faults(least=3) == ["stock: 3"]
