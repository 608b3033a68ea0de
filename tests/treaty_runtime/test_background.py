"""Parts that run beside each other: one that breaks is told, whatever it breaks with."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import NoReturn

import pytest

from treaty_runtime.hooks import Hooks, PartBroke
from treaty_runtime.wiring.background import Background


async def fail(error: BaseException) -> NoReturn:
    raise error


async def fail_in_a_group(error: BaseException) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail(error))


@pytest.mark.parametrize("work", [fail, fail_in_a_group])
@pytest.mark.parametrize("text", ["no such key", "half a pair: \ud800", "x" * 3_000_000])
async def test_a_part_that_breaks_is_told_once_with_its_error_and_place(work: object, text: str) -> None:
    seen: list[object] = []
    background = Background(Hooks([seen.append]))
    background.start(work(KeyError(text)), name="relay of orders")  # type: ignore[operator]  # one of the two above
    await asyncio.wait_for(background.broken.wait(), 60)
    assert background.failure is not None
    await background.end("relay", within=timedelta(seconds=60))
    assert seen == [PartBroke(part="relay of orders", error_type="builtins.KeyError", at=f"{__name__}.fail")]


async def test_parts_that_end_or_are_cut_off_break_nothing() -> None:
    seen: list[object] = []
    background = Background(Hooks([seen.append]))
    background.start(asyncio.sleep(0), name="warm")
    background.start(asyncio.sleep(3600), name="consumer g")
    await background.end("warm", "consumer", within=timedelta(seconds=0.01))
    assert (background.failure, background.broken.is_set(), seen) == (None, False, [])
