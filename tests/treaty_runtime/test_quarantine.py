"""A record that ends the process each time: found by what dead members committed, on mock brokers and with real processes."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.treaty_runtime.killing_handler import DEADLY
from tests.treaty_runtime.order_events import OrderCreated
from tests.treaty_runtime.shop import Shop, order
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.wire import headers as names

ORDERS, RESTARTS = 8, 4


@pytest.mark.chaos
async def test_a_record_that_kills_its_process_is_dead_lettered_and_its_neighbours_are_handled() -> None:
    handled: list[int] = []
    deaths = 0
    with Chaos() as chaos:
        for topic in (OrderCreated.__topic__, "dlq.order"):
            chaos.topic(topic, partitions=1)
        shop = Shop(chaos.bootstrap)
        shop.ids[OrderCreated] = shop.registry.register(OrderCreated.__subject__, OrderCreated.__avro_schema__)
        await shop.publisher.publish_many([order(number, f"o-{number}") for number in range(ORDERS)])
        while True:
            lines, is_dead = await _live(chaos.bootstrap, handled)
            handled += lines
            if not is_dead:
                break
            deaths += 1
            assert deaths <= RESTARTS, f"not quarantined after {deaths} deaths; handled {handled}"
        (letter,) = await shop.read("dlq.order", 1)
        await shop.producer.close()
    assert names.first_values(letter.headers)[names.REASON].startswith(b"kills-process")
    assert set(handled) == set(range(ORDERS)) - {DEADLY}
    assert deaths <= RESTARTS


async def _live(bootstrap: str, known: list[int]) -> tuple[list[int], bool]:
    """What one life of the member handles, and whether it ended by itself; a member that handled the last order is stopped."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.treaty_runtime.killing_handler", bootstrap,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    lines: list[int] = []
    async with asyncio.timeout(240):
        while set(known + lines) != set(range(ORDERS)) - {DEADLY}:
            line = await process.stdout.readline()
            if not line:
                return lines, await process.wait() != 0
            lines.append(int(line))
        process.stdin.close()
        return lines, await process.wait() != 0
