"""One timer for all that wait: each fails at its own time, and what is answered is let go."""

from __future__ import annotations

import asyncio

import pytest

from treaty_runtime.publish.patience import Patience


def waiting() -> asyncio.Future[str]:
    return asyncio.get_running_loop().create_future()


def late(_seconds: float) -> Exception:
    return TimeoutError("too late")


async def test_who_is_not_answered_fails_and_who_is_keeps_the_answer() -> None:
    patience, answered, silent = Patience(), waiting(), waiting()
    for future in (answered, silent):
        patience.watch(future, 0.05, late)
    answered.set_result("here")
    with pytest.raises(TimeoutError, match="too late"):
        await silent
    assert await answered == "here"
    assert len(patience) == 0


async def test_the_shorter_patience_ends_first_whatever_began_first() -> None:
    patience, ends = Patience(), list[str]()
    futures = {"long": waiting(), "short": waiting()}
    for (name, future), seconds in zip(futures.items(), (0.3, 0.02), strict=True):
        future.add_done_callback(lambda _, name=name: ends.append(name))  # type: ignore[misc]  # a default binds the name
        patience.watch(future, seconds, late)
    await asyncio.gather(*futures.values(), return_exceptions=True)
    assert ends == ["short", "long"]


async def test_what_is_answered_is_not_kept_behind_one_that_is_not() -> None:
    patience, silent = Patience(crowd=100), waiting()
    patience.watch(silent, 60, late)
    for _ in range(10_000):
        future = waiting()
        patience.watch(future, 60, late)
        future.set_result("here")
        assert len(patience) <= 101
    silent.cancel()


async def test_a_caller_that_went_away_is_not_failed_afterwards() -> None:
    patience, gone, last = Patience(), waiting(), waiting()
    patience.watch(gone, 0.01, late)
    patience.watch(last, 0.02, late)
    gone.cancel()
    with pytest.raises(TimeoutError):
        await last
    assert gone.cancelled()
