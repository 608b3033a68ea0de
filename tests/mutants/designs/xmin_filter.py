"""An xmin filter: the relay waits for every transaction that is older than a row's."""

from __future__ import annotations

from sqlalchemy import text

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.publish import backlog

_SETTLED = (
    "CAST(CAST(outbox.xmin AS text) AS bigint) < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
)

MUTANT = Mutant(
    wrong="The relay reads only rows older than every running transaction, so a young row is sent after a later, older one.",
    swaps=(
        Swap(
            backlog.READ,
            "postgresql",
            text(str(backlog.READ["postgresql"]).replace(" WHERE ", f" WHERE {_SETTLED} AND ", 1)),
        ),
    ),
    tests=("tests/treaty_runtime/test_relay_order.py::test_a_key_keeps_its_order_however_old_the_transactions_are",),
)
