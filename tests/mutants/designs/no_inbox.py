"""No inbox: nobody remembers which events were handled."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.sql import inbox


async def _never_seen(session: AsyncSession, *_: object, **__: object) -> bool:
    await session.connection()  # the handler's transaction has begun, as with the row
    return True


MUTANT = Mutant(
    wrong="Handlers run without an inbox row, so a redelivered event has its effect again.",
    swaps=(Swap(inbox, "remember", _never_seen),),
    tests=(
        "tests/treaty_runtime/test_inbox.py::test_a_redelivered_event_has_no_second_effect[sqlite]",
        "tests/treaty_runtime/test_inbox.py::test_a_commit_whose_answer_is_lost_is_settled_by_the_inbox[sqlite]",
    ),
)
