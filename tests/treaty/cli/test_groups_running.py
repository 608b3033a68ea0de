"""A running group is released, moved, and resumed; its inbox absorbs what it reads twice, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import project
from tests.treaty.ops.shop import EVENTS_EACH, ORDERS, Shop
from tests.treaty_runtime.relaying import until
from treaty_runtime.kafka.groups import Groups

pytestmark = [pytest.mark.long, pytest.mark.kafka]


@pytest.mark.timeout(300)
async def test_a_running_group_is_released_moved_and_resumed_and_effects_stay_single(
    kafka: str, unique: Callable[[str], str], tmp_path: Path
) -> None:
    shop = Shop(kafka, tmp_path, unique)
    shop.is_mended = True
    scratch = project(tmp_path / "project", toml=f'[environment.local]\nbrokers = "{kafka}"\n')

    async def treaty(*words: str) -> tuple[int, str]:
        done = await asyncio.to_thread(scratch.run, "groups", *words, shop.group, "--reason", "test", "--yes")
        return done.code, done.err

    async def all_are_done(times: int) -> bool:
        return len(await shop.done()) >= times * ORDERS * EVENTS_EACH

    async with shop.open() as runtime:
        await shop.order(runtime)
        await until(lambda: all_are_done(1), deadline=90)
        code, err = await treaty("reset-offsets", "--to", "start")
        assert (code, "has members" in err) == (3, True), err
        code, err = await treaty("release")
        assert (code, "1 of 1 members have done it" in err) == (0, True), err
        assert Groups(kafka).describe(shop.group).state == "EMPTY"
        code, err = await treaty("reset-offsets", "--to", "start")
        assert code == 0, err
        await shop.order(runtime)
        assert not await all_are_done(2)
        code, err = await treaty("resume")
        assert (code, "1 of 1 members have done it" in err) == (0, True), err
        await until(lambda: all_are_done(2), deadline=90)
        code, err = await treaty("pause")
        assert code == 0, err
        assert Groups(kafka).describe(shop.group).state == "STABLE"
        await shop.order(runtime)
        assert (await treaty("resume"))[0] == 0
        await until(lambda: all_are_done(3), deadline=90)
        assert runtime.is_alive()
    done = await shop.done()
    assert len(done) == 3 * ORDERS * EVENTS_EACH, "no effect twice"


@pytest.mark.timeout(120)
def test_a_group_that_does_not_run_treaty_is_said_to_be_so(
    kafka: str, unique: Callable[[str], str], tmp_path: Path
) -> None:
    scratch = project(tmp_path / "project", toml=f'[environment.local]\nbrokers = "{kafka}"\n')
    done = scratch.run("groups", "pause", unique("strangers"), "--reason", "test", "--yes")
    assert (done.code, "No member of" in done.err, "by other means" in done.err) == (3, True, True), done.err
