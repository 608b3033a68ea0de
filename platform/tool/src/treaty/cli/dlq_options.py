"""What the commands on dead letters share: places, topics, reasons, and which letters are meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from treaty.errors import UsageError

if TYPE_CHECKING:
    from treaty.ops.dead_letters.letter import Letter
    from treaty_runtime.event import Place

F = TypeVar("F", bound=Callable[..., Any])


def place(text: str) -> Place:
    """The place of TOPIC/PARTITION/OFFSET, or a usage error that shows one."""
    from treaty.ops.dead_letters.states import place_of

    found = place_of(text)
    if found is None:
        raise click.BadParameter(f"`{text}` is no place; write TOPIC/PARTITION/OFFSET, such as dlq.order/0/17.")
    return found


def places_argument(command: F) -> F:
    """Adds any number of PLACE."""
    return click.argument("places", metavar="[PLACE]...", nargs=-1, type=place)(command)


def topics_option(command: F) -> F:
    """Adds ``--topic``, as often as wished."""
    return click.option("--topic", "topics", multiple=True, help="Only this topic (default: every dlq.*).")(command)


def fingerprint_option(command: F) -> F:
    """Adds ``--fingerprint``."""
    return click.option("--fingerprint", help="All letters of this fingerprint.")(command)


def reason_option(command: F) -> F:
    """Adds ``--reason``, which must be given."""
    return click.option("--reason", required=True, help="Why; the journal keeps it.")(command)


def chosen(letters: Sequence[Letter], *, places: Sequence[Place], fingerprint: str | None) -> list[Letter]:
    """The letters at these places, or of this fingerprint; ``UsageError`` if it is neither, both, or there are none."""
    if bool(places) == (fingerprint is not None):
        raise UsageError("Which letters?", next_step="name places, or a --fingerprint")
    found = [letter for letter in letters if letter.place in places or letter.fingerprint == fingerprint]
    missing = set(places) - {letter.place for letter in found}
    if missing or not found:
        what = str(min(missing)) if missing else f"the fingerprint {fingerprint}"
        raise UsageError(f"There is no dead letter at {what}.", next_step="treaty dlq list --all")
    return found
