"""The only ways to wait in a test: for a condition, with a deadline.

A deadline is there for what hangs, never to say how fast something is: it is far longer than anything takes on a machine with
five times more to do than cores. A failure tells the condition, its last answer, and the values that it looked at.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")
DEADLINE = 180.0
PAUSE_SECONDS, LONGEST_PAUSE = 0.02, 0.1
_LONGEST = 300
"""Letters of a value in a failure."""


class NotSoYet(AssertionError):
    """What was waited for did not come before the deadline."""


def wait_until(condition: Callable[[], T | None], deadline: float = DEADLINE) -> T:
    """Calls ``condition`` until its answer is true and returns that answer; fails after ``deadline`` seconds.

    The longer it takes, the longer the pauses: who asks ten services fifty times a second takes from them what they need.
    """
    began = time.monotonic()
    while True:
        answer = condition()
        if answer:
            return answer
        waited = time.monotonic() - began
        if waited >= deadline:
            raise NotSoYet(describe(condition, answer, deadline))
        time.sleep(_pause(waited))


@overload
async def eventually(condition: Callable[[], Coroutine[Any, Any, T | None]], deadline: float = DEADLINE) -> T: ...
@overload
async def eventually(condition: Callable[[], T | None], deadline: float = DEADLINE) -> T: ...
async def eventually(condition: Callable[[], Any], deadline: float = DEADLINE) -> Any:
    """``wait_until`` for asyncio: the loop goes on meanwhile; ``condition`` may be a coroutine function, which may hang."""
    value: object = None
    limit = asyncio.timeout(deadline)
    try:
        async with limit:
            while True:
                answer = condition()
                value = await answer if inspect.isawaitable(answer) else answer
                if value:
                    return value
                await asyncio.sleep(PAUSE_SECONDS)
    except TimeoutError:
        if not limit.expired():
            raise  # the condition's own
        raise NotSoYet(describe(condition, value, deadline)) from None


async def came_about(condition: Callable[[], object], *, patience: float = DEADLINE) -> bool:
    """Whether ``condition`` was true within so many seconds, for who goes on either way; the loop goes on meanwhile."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        if waited > patience:
            return False
        await asyncio.sleep(_pause(waited))
    return True


def _pause(waited: float) -> float:
    return min(max(PAUSE_SECONDS, waited / 10), LONGEST_PAUSE)


def describe(condition: Callable[..., object], answer: object, deadline: float) -> str:
    """The condition's source and the values of its names, where it has some, and what it answered last."""
    try:
        source = inspect.getsource(condition).strip()
    except (OSError, TypeError):
        source = repr(condition)
    found = {**inspect.getclosurevars(condition).nonlocals} if inspect.isfunction(condition) else {}
    values = "".join(f"\n  {name} = {repr(value)[:_LONGEST]}" for name, value in found.items())
    return f"not so after {deadline:g} s: {source}\n  the last answer: {repr(answer)[:_LONGEST]}{values}"
