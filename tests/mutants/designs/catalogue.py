"""The wrong designs that tests must find, from the outbox to the limits. Each has a module of its name."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from tests.mutants.designs.mutant import Mutant

NAMES: Final = (
    "mark-before-ack",
    "ack-before-effect",
    "no-inbox",
    "inbox-in-other-transaction",
    "id-greater-than-last",
    "two-skip-locked-relays",
    "xmin-filter",
    "no-fencing",
    "zpopmin-queue",
    "check-outside-lock",
    "no-autoincrement",
    "dead-letter-not-awaited",
    "retry-loses-order",
    "compensation-twice",
    "cache-without-version",
    "outage-as-poison",
    "limits-off",
    "subject-check-off",
)


def mutant(name: str) -> Mutant:
    """The mutant of that name; ValueError for another name."""
    if name not in NAMES:
        raise ValueError(f"{name} is none of {', '.join(NAMES)}.")
    found: Mutant = import_module(f"tests.mutants.designs.{name.replace('-', '_')}").MUTANT
    return found
