"""The model finds what it is there to find, at its own size: each fault that is planted in the decisions fails it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from mall.payment.domain import ledger, saga
from mall.payment.domain.saga import CANCELLED, CREATED, REFUNDED, REFUNDING, SUCCEEDED, Trigger
from mall_events.accounting import TransactionKind
from tests.mall.payment.test_machine import AT_SIZE, Payments

FAULTS: Mapping[str, tuple[Any, str, Mapping[Any, Any]]] = {
    "compensation-twice": (saga, "TRANSITIONS", {**saga.TRANSITIONS, (REFUNDED, Trigger.UNDONE): REFUNDING}),
    "late-charge-forgotten": (
        saga,
        "TRANSITIONS",
        {pair: to for pair, to in saga.TRANSITIONS.items() if pair != (CANCELLED, Trigger.CHARGED)},
    ),
    "late-charge-not-booked": (
        ledger,
        "MOVES",
        {pair: kind for pair, kind in ledger.MOVES.items() if pair != (CANCELLED, REFUNDING)},
    ),
    "time-out-takes-back": (saga, "TRANSITIONS", {**saga.TRANSITIONS, (SUCCEEDED, Trigger.GIVEN_UP): CANCELLED}),
    "refund-booked-as-charge": (ledger, "MOVES", {**ledger.MOVES, (REFUNDING, REFUNDED): TransactionKind.CHARGE}),
    "charge-forgotten": (
        ledger,
        "MOVES",
        {pair: kind for pair, kind in ledger.MOVES.items() if pair[0] is not CREATED},
    ),
}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_fails_the_model(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, wrong = FAULTS[fault]
    monkeypatch.setattr(place, name, wrong)
    found = settings(
        AT_SIZE,  # no more than the model itself is given
        derandomize=True,  # else another seed might not meet the fault
        database=None,
        phases=[Phase.generate],
        print_blob=False,
    )
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(Payments, settings=found)
