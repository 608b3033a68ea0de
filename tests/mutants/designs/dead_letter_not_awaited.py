"""A dead letter that is not awaited: its record counts as complete once the copy is handed to the client."""

from __future__ import annotations

import asyncio

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.consume.actions import Copy, DeadLetter
from treaty_runtime.consume.copies import Answer, Copies, Told
from treaty_runtime.event import Record


def _send(copies: Copies, action: Copy | DeadLetter, record: Record, told: Told) -> None:
    copies._producer.produce(copies._outgoing(action, record, told), lambda _delivery: None)
    asyncio.get_running_loop().call_soon(copies._report, action, Answer.COPIED)


MUTANT = Mutant(
    wrong="A record is complete when its dead letter was handed to the client, before the broker took it.",
    swaps=(Swap(Copies, "send", _send),),
    tests=(
        "tests/treaty_runtime/test_harness.py::test_a_missing_dead_letter_topic_holds_the_commit_although_kafka_takes_commits",
    ),
)
