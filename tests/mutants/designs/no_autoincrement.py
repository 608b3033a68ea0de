"""No AUTOINCREMENT: SQLite gives the position of a deleted row again."""

from __future__ import annotations

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.sql.tables import OutboxRow, Tables

_TABLE = Tables.metadata.tables[OutboxRow.__tablename__]

MUTANT = Mutant(
    wrong="The outbox of SQLite has no AUTOINCREMENT, so a position is used again after its row was deleted.",
    swaps=(Swap(_TABLE.dialect_options["sqlite"], "autoincrement", wrong=False),),
    tests=("tests/treaty_runtime/test_database.py::test_a_position_is_never_given_twice[sqlite]",),
)
