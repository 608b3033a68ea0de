"""A replay that is killed wherever it stands, and run again until it is done: every effect once, in the order of its key."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import Scratch, project
from tests.treaty.ops.shop import EVENTS_EACH, ORDERS, Shop
from tests.treaty_runtime.relaying import until
from treaty_runtime.kafka.log import Log

pytestmark = [pytest.mark.chaos, pytest.mark.kafka]

KILLS = 8


@pytest.mark.timeout(400)
async def test_a_killed_replay_that_is_run_again_has_every_effect_once_and_in_order(
    kafka: str, unique: Callable[[str], str], tmp_path: Path
) -> None:
    shop = Shop(kafka, tmp_path, unique)
    scratch = project(tmp_path / "project", toml=f'[environment.local]\nbrokers = "{kafka}"\n')
    async with shop.open() as runtime:
        await shop.order(runtime)
        total = ORDERS * EVENTS_EACH
        await until(lambda: _length(kafka, shop.dead) >= total, deadline=120)
        assert await shop.done() == []
        shop.is_mended = True
        words = ("dlq", "replay", "--all", "--topic", shop.dead, "--rate", "500", "--yes")
        for kill in range(KILLS):
            await asyncio.to_thread(_killed, scratch, words, after=kill)
        last = await asyncio.to_thread(scratch.run, *words)
        assert last.code == 0, last.err

        async def all_are_done() -> bool:
            return len(await shop.done()) >= total

        await until(all_are_done, deadline=120)
        code, err = await asyncio.to_thread(_settled, scratch, shop.dead)
        assert code == 0, err
    done = await shop.done()
    assert len(done) == len(set(done)) == total
    for order in range(ORDERS):
        assert [number for order_id, number in done if order_id == f"o-{order}"] == list(range(EVENTS_EACH))
    assert _length(kafka, f"retry.{shop.group}.0s") >= total


def _killed(scratch: Scratch, words: tuple[str, ...], *, after: int) -> None:
    """Starts the command and kills it when it has told of so many records; the one after may be anywhere."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TREATY_")}
    with subprocess.Popen(
        [sys.executable, "-m", "treaty", *words],
        cwd=scratch.root,
        env=environ,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.stderr is not None
        told = 0
        for line in process.stderr:
            told += "→".encode() in line
            if told >= after and b"to replay" not in line:
                break
            if after == 0 and b"to replay" in line:
                break
        process.send_signal(signal.SIGKILL)


def _settled(scratch: Scratch, topic: str) -> tuple[int, str]:
    done = scratch.run("dlq", "list", "--topic", topic)
    return done.code, done.err


def _length(kafka: str, topic: str) -> int:
    with Log(kafka) as log:
        return sum(end - start for start, end in log.spans([topic]).values())
