"""A member of a group that dies at one record, as a process with a broken extension would: run by a test, with SIGABRT at its end."""

from __future__ import annotations

import asyncio
import os
import sys

from tests.treaty_runtime.order_events import OrderCreated
from tests.treaty_runtime.shop import Shop, group_of
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

DEADLY = 3
MORTAL = {"consumer.session.timeout.ms": 6_000}
"""So long the next life waits for the partitions of the one before."""


async def main(bootstrap: str) -> None:
    """Prints the number of each order that it handles, until it dies or is told to stop by the end of its input."""
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, _context: Context) -> None:
        if event.number == DEADLY:
            os.abort()
        print(event.number, flush=True)

    shop = Shop(bootstrap, **MORTAL)
    async with shop.running(group_of(handlers, has_retry_topics=False)):
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await shop.producer.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
