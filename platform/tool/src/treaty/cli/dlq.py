"""``treaty dlq``: look at dead letters, and lay them aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from treaty.cli.asking import agreed, changing
from treaty.cli.dlq_dry_run import dry_run
from treaty.cli.dlq_edit import edit
from treaty.cli.dlq_options import fingerprint_option, places_argument, reason_option, topics_option
from treaty.cli.dlq_options import place as as_place
from treaty.cli.dlq_replay import replay
from treaty.cli.family import Family
from treaty.cli.harmless import echo
from treaty.cli.plans import environment_option
from treaty.cli.project import config_option, load_settings
from treaty.cli.tables import format_option

if TYPE_CHECKING:
    from treaty.ops.dead_letters.states import State
    from treaty_runtime.event import Place

F = TypeVar("F", bound=Callable[..., Any])


@click.group(name="dlq", cls=Family)
def dlq() -> None:
    """Look at dead letters, mend them, and send them back to the group that gave them up.

    PLACE is TOPIC/PARTITION/OFFSET, as the list shows it.

    \b
    treaty dlq list
    treaty dlq show dlq.order/0/17
    treaty dlq replay --fingerprint 3f9a1c22b7e0 --canary

    Exit codes: 0 clean, 1 letters wait or failed again, 2 usage, 3 unreachable or refused.
    """


@dlq.command(name="list")
@click.option("--fingerprint", help="Only letters of this fingerprint, one a line.")
@click.option("--group-by", type=click.Choice(["fingerprint", "none"]), default="fingerprint", show_default=True)
@click.option("--all", "is_all", is_flag=True, help="Also what nobody has to decide about any more.")
@format_option
@topics_option
@environment_option
@config_option
def list_letters(
    config: Path | None,
    *,
    environment: str,
    topics: tuple[str, ...],
    format_: str,
    is_all: bool,
    group_by: str,
    fingerprint: str | None,
) -> int:
    """List dead letters, equal failures as one; the topics are read, nothing is changed.

    \b
    treaty dlq list
    treaty dlq list --fingerprint 3f9a1c22b7e0 --all
    treaty dlq list --group-by none --format json

    Exit codes: 0 none waits, 1 some wait or are unread, 2 usage, 3 unreachable.
    """
    from treaty.cli import dlq_words
    from treaty.ops.dead_letters.index import kinds
    from treaty.ops.dead_letters.states import OPEN
    from treaty.wiring import dead_letters_of

    with dead_letters_of(load_settings(config), environment, topics=topics) as dead_letters:
        letters, known = dead_letters.look(), dead_letters.standings()
    letters = [letter for letter in letters if fingerprint in {None, letter.fingerprint}]
    shown = [letter for letter in letters if is_all or known[letter.place].state in OPEN]
    if fingerprint is not None or group_by == "none":
        dlq_words.show_letters(shown, known, format_)
    else:
        dlq_words.show_kinds(list(kinds(shown, known)), format_)
    return _told([known[letter.place].state for letter in letters])


def _told(states: Sequence[State]) -> int:
    """How many an operator has to decide about; the exit code."""
    from treaty.ops.dead_letters.states import OPEN, State

    echo(f"{states.count(State.WAITING)} of {len(states)} dead letters wait.", err=True)
    if unread := states.count(State.UNREAD):
        told = f"{unread} were replayed, but deleted before their group came."
        echo(f"{told}\n  next: treaty dlq list --group-by none, and replay or discard them by place", err=True)
    return 1 if OPEN.intersection(states) else 0


@dlq.command()
@click.argument("place", type=as_place)
@click.option("--reveal", is_flag=True, help="Show personal data too; the journal notes that you did.")
@format_option
@environment_option
@config_option
def show(config: Path | None, environment: str, format_: str, reveal: bool, place: Place) -> int:
    """Show one dead letter: cause, first place, headers, and the event with personal data masked.

    \b
    treaty dlq show dlq.order/0/17
    treaty dlq show dlq.order/0/17 --format json
    treaty dlq show dlq.order/0/17 --reveal

    Exit codes: 0, 2 no such record, 3 unreachable.
    """
    from treaty.cli import dlq_words
    from treaty.ops.dead_letters.shown import shown
    from treaty.ops.registered import Registered
    from treaty.wiring import dead_letters_of, now, registry_of

    settings = load_settings(config)
    with (
        dead_letters_of(settings, environment, topics=[place.topic]) as dead_letters,
        registry_of(settings, environment) as registry,
    ):
        picture = shown(dead_letters, place, Registered(registry), reveal=reveal, now=now())
    dlq_words.show_picture(picture, format_)
    return 0


class Shelving(TypedDict):
    """The options of ``discard`` and ``restore``."""

    environment: str
    topics: tuple[str, ...]
    yes: bool
    dry_run: bool
    reason: str
    fingerprint: str | None
    places: tuple[Place, ...]


def shelving(command: F) -> F:
    """Adds the options of ``discard`` and ``restore``."""
    options = (
        places_argument,
        fingerprint_option,
        reason_option,
        changing,
        topics_option,
        environment_option,
        config_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@dlq.command()
@shelving
def discard(config: Path | None, **given: Unpack[Shelving]) -> int:
    """Lay letters aside: they no longer wait. Their bytes stay until the topic's retention, and `restore` takes it back.

    \b
    treaty dlq discard dlq.order/0/17 --reason "test order" --dry-run
    treaty dlq discard --fingerprint 3f9a1c22b7e0 --reason "handled by hand" --yes

    Exit codes: 0 done, 2 usage, 3 unreachable.
    """
    return shelve("discard", "Discard these {} letters?", config, given)


@dlq.command()
@shelving
def restore(config: Path | None, **given: Unpack[Shelving]) -> int:
    """Take a discard back.

    \b
    treaty dlq restore dlq.order/0/17 --reason "it was an order after all"
    treaty dlq restore --fingerprint 3f9a1c22b7e0 --reason "mended" --yes

    Exit codes: 0 done, 2 usage, 3 unreachable.
    """
    return shelve("restore", "Let these {} letters wait again?", config, given)


def shelve(act: str, question: str, config: Path | None, given: Shelving) -> int:
    """What ``discard`` and ``restore`` do: they only write a note."""
    from treaty.cli import dlq_words
    from treaty.cli.dlq_options import chosen
    from treaty.ops.dead_letters import shelve as ops
    from treaty.wiring import dead_letters_of, now

    with dead_letters_of(load_settings(config), given["environment"], topics=given["topics"]) as dead_letters:
        letters, known = dead_letters.look(), dead_letters.standings()
        picked = chosen(letters, places=given["places"], fingerprint=given["fingerprint"])
        if given["fingerprint"] is not None:  # of a kind, those that can be; of places, each must be
            picked = [letter for letter in picked if known[letter.place].state in ops.OF_KIND[act]]
        left = ops.left_to(act, picked, known)
        dlq_words.show_letters(left, known, "text")
        if left and agreed(question.format(len(left)), yes=given["yes"], dry_run=given["dry_run"]):
            ops.note(act, left, dead_letters, reason=given["reason"], now=now())
            echo(f"{len(left)} noted.", err=True)
    return 0


dlq.add_command(dry_run)
dlq.add_command(edit)
dlq.add_command(replay)
