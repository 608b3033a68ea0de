"""The only ways to wait in a test: for a condition, with a deadline."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")
PAUSE_SECONDS = 0.02


def wait_until(condition: Callable[[], T], deadline: float = 30.0) -> T:
    """Calls ``condition`` until its answer is true and returns that answer; fails after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, f"not so after {deadline:g} s: {describe(condition)}"
        time.sleep(PAUSE_SECONDS)


@overload
async def eventually(condition: Callable[[], Coroutine[Any, Any, T]], deadline: float = 30.0) -> T: ...
@overload
async def eventually(condition: Callable[[], T], deadline: float = 30.0) -> T: ...
async def eventually(condition: Callable[[], Any], deadline: float = 30.0) -> Any:
    """``wait_until`` for asyncio: the loop goes on meanwhile; ``condition`` may be a coroutine function."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        assert time.monotonic() < end, f"not so after {deadline:g} s: {describe(condition)}"
        await asyncio.sleep(PAUSE_SECONDS)


def describe(condition: Callable[..., object]) -> str:
    """The condition's source, where it has one."""
    try:
        return inspect.getsource(condition).strip()
    except (OSError, TypeError):
        return repr(condition)
