"""Mark before ack: the relay marks rows as sent once they are handed to the client."""

from __future__ import annotations

from collections.abc import Mapping

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.publish.relay import Relay
from treaty_runtime.publish.relay_batch import Batch


async def _wait_for_nothing(_relay: Relay, batch: Batch, _epochs: Mapping[int, int]) -> None:
    batch.acknowledged.extend(batch._rows)


MUTANT = Mutant(
    wrong="The relay deletes rows as soon as they are handed to the client, whatever the broker answers.",
    swaps=(Swap(Relay, "_answers", _wait_for_nothing),),
    tests=(
        "tests/treaty_runtime/test_relay_order.py::test_a_row_is_deleted_only_after_the_broker_has_acknowledged_it[sqlite]",
    ),
)
