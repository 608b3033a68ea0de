"""Inbox in another transaction: an event counts as handled although its effect was rolled back."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.event import Envelope
from treaty_runtime.sql import inbox

_right = inbox.remember


async def _remember_for_itself(session: AsyncSession, envelope: Envelope[Any], *, group: str) -> bool:
    async with AsyncSession(session.bind) as other:
        is_new = await _right(other, envelope, group=group)
        await other.commit()
    return is_new


MUTANT = Mutant(
    wrong="The inbox row is committed in a transaction of its own, before the handler's effects.",
    swaps=(Swap(inbox, "remember", _remember_for_itself),),
    tests=("tests/treaty_runtime/test_inbox.py::test_a_failing_handler_leaves_nothing_and_may_run_again[sqlite]",),
)
