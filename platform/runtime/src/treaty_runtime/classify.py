"""What an exception means, judged by where it comes from: rules in order, the user's first, then the adapters'."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum

from treaty_avro import AmbiguousField, DecodeError, ResolutionError, SchemaLimit
from treaty_runtime.errors import Conflict, Locked, Outage, Poison, RegistryUnavailable

_UNREADABLE = (ResolutionError, SchemaLimit, AmbiguousField)
"""What compiling a foreign writer's schema raises; it will raise it at every attempt."""


class Kind(Enum):
    """What a failure means for the record and the ones behind it; ``Dispatch`` acts on it."""

    POISON = "poison"  # dead letter at once
    OUTAGE = "outage"  # all wait, one record probes
    STALLED = "stalled"  # the schema registry is away, or a row is locked: only the lanes that need it wait
    CONFLICT = "conflict"  # two transactions met: run it again at once
    FAILURE = "failure"  # the schedule
    SHUTDOWN = "shutdown"  # unfinished: seen again after the restart


Rule = Callable[[Exception], Kind | None]
"""One rule: the kind it knows the exception to be, or None."""


def classify(error: Exception, rules: Iterable[Rule] = ()) -> Kind:
    """The kind that the first knowing rule names; what no rule knows is an ordinary failure. A rule that raises knows nothing.

    A group that no rule knows is what waits longest of its parts, and poison if all of them are.
    """
    for rule in (*rules, own_errors):
        with suppress(Exception):  # else the record would neither be tried again nor dead-lettered
            kind = rule(error)
            if kind is not None:
                return kind
    if not isinstance(error, ExceptionGroup):
        return Kind.FAILURE
    kinds = {classify(each, rules) for each in error.exceptions}
    waits = next((kind for kind in (Kind.OUTAGE, Kind.STALLED, Kind.CONFLICT) if kind in kinds), Kind.FAILURE)
    return Kind.POISON if kinds == {Kind.POISON} else waits


def outages(*classes: type[Exception]) -> Rule:
    """A rule that calls these exceptions outages (``outages=`` of a group)."""
    return lambda error: Kind.OUTAGE if isinstance(error, classes) else None


def own_errors(error: Exception) -> Kind | None:
    """The rule for the runtime's and the codec's own exceptions."""
    if isinstance(error, RegistryUnavailable | Locked):
        return Kind.STALLED
    if isinstance(error, Outage):
        return Kind.OUTAGE
    if isinstance(error, Conflict):
        return Kind.CONFLICT
    return Kind.POISON if isinstance(error, (Poison, DecodeError, *_UNREADABLE)) else None
