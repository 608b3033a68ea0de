"""No fencing: a relay that lost its lanes still deletes."""

from __future__ import annotations

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.publish import backlog
from treaty_runtime.sql.sqltext import statements

MUTANT = Mutant(
    wrong="A delete asks neither whose the lane is nor under which epoch, so a zombie removes rows of its heir.",
    swaps=(
        Swap(
            backlog,
            "DELETE",
            statements(
                "DELETE FROM outbox WHERE position = ANY(CAST(:positions AS bigint[]))",
                sqlite="DELETE FROM outbox WHERE position IN (SELECT value FROM json_each(:positions))",
            ),
        ),
    ),
    tests=("tests/treaty_runtime/test_relay.py::test_a_zombie_past_its_lease_deletes_nothing_and_is_told[sqlite]",),
)
