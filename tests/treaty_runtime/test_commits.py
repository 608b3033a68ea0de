"""Commits go out one at a time: what the broker answers decides who is told, and what waited goes with the next."""

from __future__ import annotations

import asyncio

from treaty_runtime.consume.commits import Commits, Offsets
from treaty_runtime.errors import Outage, TreatyError
from treaty_runtime.event import Partition
from treaty_runtime.transport import Position

P0, P1 = Partition("orders", 0), Partition("orders", 1)


class Broker:
    """Answers each commit when it is told to."""

    def __init__(self) -> None:
        self.asked: list[Offsets] = []
        self.taken: list[Offsets] = []
        self.failures: list[TreatyError] = []
        self._answers: list[asyncio.Future[None]] = []
        self.commits = Commits(self._send, taken=self.taken.append, failed=self.failures.append)

    async def _send(self, offsets: Offsets) -> None:
        self.asked.append(dict(offsets))
        answer = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        await answer

    async def answer(self, error: TreatyError | None = None) -> None:
        if error is None:
            self._answers.pop(0).set_result(None)
        else:
            self._answers.pop(0).set_exception(error)
        await turns()


async def turns() -> None:
    """Lets whatever can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_newest_of_what_comes_meanwhile_goes_out_with_the_next_request() -> None:
    broker = Broker()
    assert broker.commits.is_idle
    broker.commits.commit({P0: Position(1)})
    await turns()
    assert not broker.commits.is_idle
    for offsets in ({P0: Position(2)}, {P1: Position(7)}, {P0: Position(3)}):
        broker.commits.commit(offsets)
    await turns()
    assert (broker.asked, broker.taken) == ([{P0: Position(1)}], [])
    await broker.answer()
    assert broker.taken == [{P0: Position(1)}]
    assert broker.asked[1:] == [{P0: Position(3), P1: Position(7)}]
    await broker.answer()
    assert broker.commits.is_idle
    assert broker.taken[1:] == broker.asked[1:]
    assert broker.failures == []


async def test_a_commit_that_fails_was_not_taken_and_what_waited_is_asked_for_all_the_same() -> None:
    broker, away = Broker(), Outage("refused", dependency="kafka")
    broker.commits.commit({P0: Position(1)})
    await turns()
    broker.commits.commit({P1: Position(7)})
    await broker.answer(away)
    assert (broker.failures, broker.taken) == ([away], [])
    assert broker.asked[1:] == [{P1: Position(7)}]
    await broker.answer()
    assert broker.taken == [{P1: Position(7)}]
    assert broker.commits.is_idle
