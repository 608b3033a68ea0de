"""Compensation twice: what was undone is undone again, in the runtime's sagas and in the payment's."""

from __future__ import annotations

from typing import Any

from mall.payment.domain import saga as payment
from mall.payment.domain.saga import REFUNDED, REFUNDING, Trigger
from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime import saga
from treaty_runtime.event import Event
from treaty_runtime.saga import On, State, Step


def _moved(on: On[Any], state: State, event: Event) -> Step:
    """The step that compensates forgets nothing."""
    done = state.done if on.undo is None else (*state.done, on.undo)
    undo = tuple(reversed(done)) if on.compensate else ()
    return Step(State(on.moves[state.name], state.version + 1, done), tuple(on.emits(event)), undo)


MUTANT = Mutant(
    wrong="A compensation that comes again is carried out again, and the money goes back twice.",
    swaps=(
        Swap(saga, "_moved", _moved),
        Swap(payment, "TRANSITIONS", {**payment.TRANSITIONS, (REFUNDED, Trigger.UNDONE): REFUNDING}),
    ),
    tests=(
        "tests/treaty_runtime/test_saga.py::test_a_compensation_is_handed_out_once",
        "tests/mall/payment/test_saga.py::test_anything_else_changes_nothing[REFUNDED-Trigger.UNDONE]",
    ),
)
