"""A process over several services as a table: what an event does in a state, and what has to be undone. Pure.

Law: each pair of a state and an event is decided when the table is made, so no order of events finds a gap at night.
A compensation is handed out once: the step that compensates forgets what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass
from typing import Any, Generic, Literal, TypeVar

from treaty_runtime.errors import IncompleteSaga, UnknownSagaState
from treaty_runtime.event import Event

E = TypeVar("E", bound=Event)

Otherwise = Literal["ignore", "refuse"]


def _nothing(_event: Event) -> tuple[Event, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class On(Generic[E]):
    """What one event class does: ``moves`` from state to state.

    ``emits`` answers the events to stage with the move. ``undo`` names the compensation of what the move does, kept until the saga
    compensates. ``compensate``: the move asks for all compensations kept so far. ``otherwise``: the event in any other state.
    """

    event: type[E]
    moves: Mapping[str, str]
    _: KW_ONLY
    emits: Callable[[E], Iterable[Event]] = _nothing
    undo: str | None = None
    compensate: bool = False
    otherwise: Otherwise | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Where a saga is: what its row holds. ``version`` counts the moves; ``done`` names compensations, oldest first."""

    name: str
    version: int = 0
    done: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The saga moves: store ``to`` where the row still has the version before, stage ``emits``, do ``undo`` in order."""

    to: State
    emits: tuple[Event, ...] = ()
    undo: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """The event changes nothing here, and that is right: it came late, or twice."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The event is wrong here: somebody must hear of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Saga:
    """The table of one process; ``otherwise`` is for pairs that no transition names and no ``On`` answers itself.

    Raises IncompleteSaga for a pair that is decided nowhere or twice, a state without a way out that is no end, and an end that no
    move reaches. Ends may have moves: a process can be opened again.
    """

    name: str
    _: KW_ONLY
    start: str
    ends: AbstractSet[str]
    transitions: tuple[On[Any], ...]
    otherwise: Otherwise | None = None

    def __post_init__(self) -> None:
        """Find every gap now, at import."""
        faults = tuple(_faults(self))
        if faults:
            raise IncompleteSaga(f"Saga {self.name}: {'; '.join(faults)}.")

    @property
    def states(self) -> frozenset[str]:
        """Every state that the table names."""
        moves = [pair for on in self.transitions for pair in on.moves.items()]
        return frozenset({self.start, *self.ends, *(state for pair in moves for state in pair)})

    @property
    def begin(self) -> State:
        """The state of a new row."""
        return State(self.start)


def decide(saga: Saga, state: State, event: Event) -> Step | Ignored | Refused:
    """What the event does to a saga in this state. Raises UnknownSagaState for a row that the table does not know."""
    if state.name not in saga.states:
        raise UnknownSagaState(f"Saga {saga.name} has no state {state.name}: a newer release wrote the row.")
    named = [on for on in saga.transitions if on.event is type(event)]
    for on in named:
        if state.name in on.moves:
            return _moved(on, state, event)
    told = f"{type(event).__name__} in {state.name}"
    otherwise = next((on.otherwise for on in named if on.otherwise), saga.otherwise)
    return Ignored(told) if named and otherwise == "ignore" else Refused(told)


def _moved(on: On[Any], state: State, event: Event) -> Step:
    done = state.done if on.undo is None else (*state.done, on.undo)
    undo = tuple(reversed(done)) if on.compensate else ()
    to = State(on.moves[state.name], state.version + 1, () if on.compensate else done)
    return Step(to, tuple(on.emits(event)), undo)


def _faults(saga: Saga) -> Iterator[str]:
    leads = {(state, on.event): 0 for state in saga.states for on in saga.transitions}
    for on in saga.transitions:
        for state in on.moves:
            leads[state, on.event] += 1
    answered = {on.event for on in saga.transitions if on.otherwise or saga.otherwise}
    for (state, event), moves in sorted(leads.items(), key=lambda pair: (pair[0][0], pair[0][1].__name__)):
        if moves > 1:
            yield f"{event.__name__} in {state} is decided {moves} times"
        elif not moves and event not in answered:
            yield f"{event.__name__} in {state} is decided nowhere: add a move, or otherwise="
    reached = {to for on in saga.transitions for to in on.moves.values()} | {saga.start}
    left = {state for on in saga.transitions for state in on.moves}
    yield from (f"no move reaches {state}" for state in sorted(saga.states - reached))
    yield from (f"no move leaves {state}, and it is no end" for state in sorted(saga.states - left - saga.ends))
