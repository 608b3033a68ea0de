"""Deadlines are kept on a clock that somebody sets, and in a process that was frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.treaty_runtime.order_events import TIME
from treaty_runtime.consume.overdue import Overdue

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Job:
    """Began so long after ``TIME`` and has a minute."""

    began: object
    deadline: object
    is_overdue: bool = False


def job(after: timedelta) -> Job:
    return Job(TIME + after, TIME + after + MINUTE)


def is_over(job: Job, *looks: timedelta, before: timedelta | None = None) -> bool:
    """``before``: a look before the job began."""
    overdue = Overdue(SECOND)
    if before is not None:
        overdue.mark([], TIME + before)
    for look in looks:
        overdue.mark([job], TIME + look)  # type: ignore[list-item]  # as loose as a test may be
    return job.is_overdue


def test_a_job_is_over_after_its_time_and_not_before() -> None:
    seconds = [timedelta(seconds=number) for number in range(61)]
    assert not is_over(job(timedelta(0)), *seconds[:60])
    assert is_over(job(timedelta(0)), *seconds)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, timedelta(seconds=90)], ids=["forward", "back", "frozen"])
def test_a_job_that_runs_over_a_jump_has_the_rest_of_its_time_after_it(jump: timedelta) -> None:
    before = [timedelta(seconds=number) for number in range(10)]
    after = [jump + timedelta(seconds=number) for number in range(10, 60)]
    assert not is_over(job(timedelta(0)), *before, *after)
    assert is_over(job(timedelta(0)), *before, *after, jump + MINUTE)


def test_a_look_that_is_late_by_five_seconds_is_no_jump() -> None:
    late, later = timedelta(seconds=61), timedelta(seconds=61, microseconds=1)
    assert is_over(job(timedelta(0)), timedelta(seconds=55), late)
    assert not is_over(job(timedelta(0)), timedelta(seconds=55), later)


def test_whether_any_is_over_is_told_and_a_job_without_an_end_never_is() -> None:
    overdue, endless, short = Overdue(MINUTE), Job(TIME, None), job(timedelta(0))
    assert not overdue.mark([endless, short], TIME)  # type: ignore[list-item]  # as above
    assert overdue.mark([endless, short, endless], TIME + MINUTE)  # type: ignore[list-item]  # as above
    assert (endless.is_overdue, short.is_overdue) == (False, True)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_job_that_begins_between_a_jump_and_the_next_look_has_its_time(jump: timedelta) -> None:
    after = jump + timedelta(milliseconds=500)
    assert not is_over(job(after), jump + SECOND, jump + timedelta(seconds=2), before=timedelta(0))
    looks = [jump + timedelta(seconds=number) for number in range(1, 62)]
    assert not is_over(job(after), *looks[:-1], before=timedelta(0))
    assert is_over(job(after), *looks, before=timedelta(0))
