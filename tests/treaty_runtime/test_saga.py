"""Sagas as tables: each pair is decided, compensations come newest first and once, gaps are found at import."""

from __future__ import annotations

from typing import Any

import pytest

from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from treaty_runtime.errors import IncompleteSaga, UnknownSagaState
from treaty_runtime.event import Event
from treaty_runtime.saga import Ignored, On, Refused, Saga, State, Step, decide

CREATED, SEEN = OrderCreated(order_id="o-1", number=1), OrderSeen(number=7)


class OrderLost(OrderSeen):
    """A third event."""

    __slots__ = ()


LOST = OrderLost(number=8)


def again(event: OrderCreated) -> list[Event]:
    return [OrderSeen(number=event.number)]


TRIP = Saga(
    "trip",
    start="STARTED",
    ends={"COMPLETED", "COMPENSATED"},
    transitions=(
        On(OrderCreated, {"STARTED": "RESERVED"}, undo="release", emits=again, otherwise="ignore"),
        On(OrderSeen, {"RESERVED": "COMPLETED"}, undo="refund", otherwise="refuse"),
        On(
            OrderLost,
            {"STARTED": "COMPENSATED", "RESERVED": "COMPENSATED", "COMPLETED": "COMPENSATED"},
            compensate=True,
            otherwise="ignore",
        ),
    ),
)


@pytest.mark.parametrize(
    ("state", "event", "expected"),
    [
        (State("STARTED"), CREATED, Step(State("RESERVED", 1, ("release",)), (OrderSeen(number=1),))),
        (State("RESERVED", 1, ("release",)), SEEN, Step(State("COMPLETED", 2, ("release", "refund")))),
        (State("RESERVED", 1, ("release",)), LOST, Step(State("COMPENSATED", 2), undo=("release",))),
        (
            State("COMPLETED", 2, ("release", "refund")),
            LOST,
            Step(State("COMPENSATED", 3), undo=("refund", "release")),
        ),
        (State("STARTED"), LOST, Step(State("COMPENSATED", 1))),
        (State("COMPENSATED", 3), LOST, Ignored("OrderLost in COMPENSATED")),
        (State("COMPLETED", 2), CREATED, Ignored("OrderCreated in COMPLETED")),
        (State("STARTED"), SEEN, Refused("OrderSeen in STARTED")),
    ],
)
def test_an_event_in_a_state_is_one_row_of_the_table(state: State, event: Any, expected: object) -> None:
    assert decide(TRIP, state, event) == expected


def test_a_compensation_is_handed_out_once() -> None:
    """Whatever comes after the step that compensates finds nothing left to undo."""
    reopened = Saga(
        "reopened",
        start="A",
        ends={"B"},
        transitions=(
            On(OrderCreated, {"A": "B", "B": "B"}, undo="release"),
            On(OrderLost, {"A": "B", "B": "A"}, compensate=True),
        ),
    )
    first = decide(reopened, reopened.begin, CREATED)
    assert isinstance(first, Step)
    second = decide(reopened, first.to, LOST)
    assert isinstance(second, Step)
    assert second.undo == ("release",)
    third = decide(reopened, second.to, LOST)
    assert isinstance(third, Step)
    assert third.undo == ()


def test_an_event_that_the_table_does_not_know_is_refused() -> None:
    other = Saga("other", start="A", ends={"B"}, transitions=(On(OrderSeen, {"A": "B"}),), otherwise="ignore")
    assert decide(other, other.begin, CREATED) == Refused("OrderCreated in A")
    assert decide(other, State("B", 1), SEEN) == Ignored("OrderSeen in B")


def test_a_row_of_an_unknown_state_is_nobodys_event_to_judge() -> None:
    with pytest.raises(UnknownSagaState, match="Saga trip has no state PAUSED"):
        decide(TRIP, State("PAUSED"), CREATED)


@pytest.mark.parametrize(
    ("transitions", "ends", "fault"),
    [
        ((On(OrderSeen, {"A": "B"}),), {"B"}, "OrderSeen in B is decided nowhere"),
        (
            (On(OrderSeen, {"A": "B"}, otherwise="ignore"), On(OrderSeen, {"A": "A"})),
            {"B"},
            "OrderSeen in A is decided 2 times",
        ),
        ((On(OrderSeen, {"A": "B"}, otherwise="ignore"),), {"B", "C"}, "no move reaches C"),
        ((On(OrderSeen, {"A": "B"}, otherwise="ignore"),), {"A"}, "no move leaves B, and it is no end"),
    ],
)
def test_a_gap_in_the_table_is_found_at_import(transitions: tuple[On[Any], ...], ends: set[str], fault: str) -> None:
    with pytest.raises(IncompleteSaga, match=fault):
        Saga("gap", start="A", ends=ends, transitions=transitions)
