"""An outage as poison: records that met a dependency that was away are dead-lettered."""

from __future__ import annotations

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime import classify
from treaty_runtime.classify import Kind

_right = classify.own_errors


def _own_errors(error: Exception) -> Kind | None:
    kind = _right(error)
    return Kind.POISON if kind in {Kind.OUTAGE, Kind.STALLED} else kind


MUTANT = Mutant(
    wrong="A dependency that is away counts as a fault of the record, so an outage empties topics into dead letters.",
    swaps=(Swap(classify, "own_errors", _own_errors),),
    tests=(
        "tests/treaty_runtime/test_harness.py::test_an_outage_dead_letters_nothing_and_everything_is_handled_once_it_ends",
        "tests/treaty_runtime/test_harness.py::test_without_the_registry_records_wait_and_are_not_poison",
    ),
)
