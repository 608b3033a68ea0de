"""A send is made once, however often its handler is run."""

from __future__ import annotations

import asyncio

import pytest

from mall.notification.sends import Sends


class Server:
    """Counts what reaches it; answers when it is told to."""

    def __init__(self) -> None:
        self.taken, self.answers = 0, asyncio.Event()

    async def take(self) -> None:
        self.taken += 1
        await self.answers.wait()


async def test_a_handler_that_lost_its_transaction_after_the_send_does_not_send_again() -> None:
    sends, server = Sends(), Server()
    server.answers.set()
    for _ in range(3):
        await sends.once("a", server.take)
    await sends.once("b", server.take)
    assert server.taken == 2


async def test_a_handler_that_ran_out_of_time_finds_its_send_under_way() -> None:
    sends, server = Sends(), Server()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sends.once("a", server.take), 0.01)
    again = asyncio.create_task(sends.once("a", server.take))
    server.answers.set()
    await again
    assert server.taken == 1


async def test_what_failed_is_tried_again() -> None:
    sends, attempts = Sends(), []

    async def refuse() -> None:
        attempts.append(1)
        raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            await sends.once("a", refuse)
    assert len(attempts) == 2


async def test_it_remembers_no_more_than_it_must() -> None:
    sends, server = Sends(kept=2), Server()
    server.answers.set()
    for key in ("a", "b", "c", "a"):
        await sends.once(key, server.take)
    assert server.taken == 4
