"""The retry schedule: a function of attempt, error and jitter."""

from __future__ import annotations

from datetime import timedelta

import pytest

from treaty_runtime.errors import InvalidSettings, Retry
from treaty_runtime.retry import Delay, RetryPolicy, backoff, parse_duration

SECOND = timedelta(seconds=1)
BROKEN = RuntimeError("broken")


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (1, Delay(SECOND)),
        (2, Delay(10 * SECOND, "10s")),
        (3, Delay(60 * SECOND, "60s")),
        (4, None),
        (99, None),
        (0, None),
    ],
)
def test_three_delays_make_four_attempts(attempt: int, expected: Delay | None) -> None:
    assert RetryPolicy().delay(attempt, BROKEN, jitter=0.0) == expected


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_jitter_lengthens_a_wait_and_never_shortens_it(jitter: float) -> None:
    delay = RetryPolicy().delay(2, BROKEN, jitter)
    assert delay is not None
    assert 10 * SECOND <= delay.after <= 12 * SECOND


def test_waits_of_up_to_two_seconds_hold_only_the_lane() -> None:
    policy = RetryPolicy(delays=("2s", "2001ms"))
    assert policy.delay(1, BROKEN, jitter=0.9) == Delay(2 * SECOND * 1.18)
    second = policy.delay(2, BROKEN, jitter=0.0)
    assert second is not None
    assert second.name == "2001ms"


def test_a_group_that_says_nothing_has_three_delays_and_slows_down_after_fifty_failures() -> None:
    assert RetryPolicy() == RetryPolicy(
        delays=("1s", "10s", "60s"), in_place_up_to=2 * SECOND, jitter=0.2, throttle_after=50, throttle_pause=SECOND
    )


def test_a_wait_that_is_just_held_in_place_has_no_topic() -> None:
    assert RetryPolicy(delays=("2s", "2001ms")).topics("g") == ("retry.g.0s", "retry.g.2001ms")


def test_a_handler_may_name_its_own_wait_which_counts_as_an_attempt() -> None:
    policy = RetryPolicy(jitter=0)
    assert policy.delay(1, Retry(after=5 * SECOND), jitter=0.0) == Delay(5 * SECOND, "10s")
    assert policy.delay(4, Retry(after=5 * SECOND), jitter=0.0) is None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(2, None), (3, "10s"), (10, "10s"), (11, "60s"), (60, "60s"), (61, "60s"), (86_400, "60s")],
)
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_a_named_wait_takes_the_nearest_topic_that_the_group_reads(
    attempt: int, seconds: int, expected: str | None
) -> None:
    delay = RetryPolicy(delays=("60s", "1s", "10s"), jitter=0).delay(attempt, Retry(after=seconds * SECOND), 0.0)
    assert delay == Delay(seconds * SECOND, expected)


def test_a_named_wait_of_a_group_without_retry_topics_holds_the_lane() -> None:
    assert RetryPolicy(delays=("1s",), jitter=0).delay(1, Retry(after=60 * SECOND), 0.0) == Delay(60 * SECOND)


@pytest.mark.parametrize(
    ("asked", "kept"), [(timedelta.max, timedelta(days=7)), (timedelta.min, timedelta()), (SECOND, SECOND)]
)
def test_a_named_wait_is_none_at_least_and_a_week_at_most(asked: timedelta, kept: timedelta) -> None:
    assert Retry(after=asked).after == kept


def test_a_wait_that_is_no_duration_is_refused_where_it_is_named() -> None:
    with pytest.raises(TypeError):
        Retry(after=5)  # type: ignore[arg-type]  # as from code without types


def test_retry_topics_carry_the_declared_texts_and_the_one_for_replays() -> None:
    policy = RetryPolicy(delays=("1s", "10s", "1m", "10s"))
    assert policy.topics("order-service") == (
        "retry.order-service.0s",
        "retry.order-service.10s",
        "retry.order-service.1m",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", timedelta()),
        ("500ms", SECOND / 2),
        ("2m", 120 * SECOND),
        ("1h", 3600 * SECOND),
        ("7d", timedelta(days=7)),
    ],
)
def test_durations_are_a_number_and_a_unit(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "10", "s", "-1s", "1.5s", "01s", "1 s", "1w", "1s\n", "９s"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidSettings, match=r"e\.g\. 10s"):
        RetryPolicy(delays=(text,))


def test_probes_of_a_dependency_come_ever_more_rarely_up_to_a_ceiling() -> None:
    waits = [backoff(n, first=SECOND / 2, ceiling=30 * SECOND, jitter=0.999) for n in range(12)]
    assert waits == sorted(waits)
    assert waits[0] < SECOND / 2
    assert waits[-1] <= 30 * SECOND
    assert backoff(10_000, first=SECOND, ceiling=30 * SECOND, jitter=0.0) == 15 * SECOND


@pytest.mark.parametrize(
    ("failures", "jitter", "milliseconds"),
    [(0, 0.0, 0.5), (0, 0.5, 0.75), (1, 0.0, 1), (3, 0.5, 6), (16, 0.0, 32_768), (17, 0.0, 32_768)],
)
def test_a_probe_waits_from_half_of_its_time_on_which_doubles_sixteen_times(
    failures: int, jitter: float, milliseconds: float
) -> None:
    wait = backoff(failures, first=SECOND / 1000, ceiling=3600 * SECOND, jitter=jitter)
    assert wait == timedelta(milliseconds=milliseconds)
