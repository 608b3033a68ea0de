"""``treaty dlq edit``."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from treaty.cli.asking import agreed, changing
from treaty.cli.dlq_options import place as as_place
from treaty.cli.dlq_options import reason_option
from treaty.cli.harmless import echo
from treaty.cli.plans import environment_option
from treaty.cli.project import config_option, load_settings
from treaty.errors import UsageError

if TYPE_CHECKING:
    from treaty.ops.dead_letters.edit import Edit
    from treaty_runtime.event import Place

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


class Given(TypedDict):
    """The options as they were given."""

    environment: str
    yes: bool
    dry_run: bool
    reason: str
    reveal: bool
    subject: str | None
    file: Path | None
    changes: tuple[str, ...]
    place: Place


@click.command()
@click.argument("place", type=as_place)
@click.option("--set", "changes", multiple=True, metavar="PATH=JSON", help="Set one field, as often as wished.")
@click.option("--value", "file", type=_FILE, help="The whole event as JSON, from a file.")
@click.option("--subject", help="Which event it is, where the registry knows several.")
@click.option("--reveal", is_flag=True, help="Show personal data in the comparison too.")
@reason_option
@changing
@environment_option
@config_option
def edit(config: Path | None, **given: Unpack[Given]) -> int:
    """Lay down a mended copy of a letter, to be replayed in its place.

    The copy must fit the newest schema. It has an event id of its own and says which one it replaces; key, type, source and first
    place stay.

    \b
    treaty dlq edit dlq.order/0/17 --set amount='"12.30"' --reason "the shop sent cents" --dry-run
    treaty dlq edit dlq.order/0/17 --value mended.json --reason "rebuilt from the order table" --yes

    Exit codes: 0 done, 1 it does not fit the schema, 2 usage, 3 unreachable.
    """
    from treaty.ops.dead_letters import edit as ops
    from treaty.ops.registered import Registered
    from treaty.wiring import dead_letters_of, now, registry_of

    settings, environment, place = load_settings(config), given["environment"], given["place"]
    whole = _value(given)
    with (
        dead_letters_of(settings, environment, topics=[place.topic]) as dead_letters,
        registry_of(settings, environment) as registry,
    ):
        changes = [pair(change) for change in given["changes"]]
        letter, registered = dead_letters.one(place), Registered(registry)
        prepared = ops.prepare(letter, registered, changes=changes, value=whole, subject=given["subject"])
        _show(prepared, reveal=given["reveal"])
        if agreed("Lay this down?", yes=given["yes"], dry_run=given["dry_run"]):
            laid = ops.lay_down(prepared, dead_letters, reason=given["reason"], now=now())
            echo(f"{place} is replaced by {laid}.\n  next: treaty dlq replay {laid}", err=True)
    return 0


def _value(given: Given) -> str | None:
    if bool(given["changes"]) == (given["file"] is not None):
        raise UsageError("What shall change?", next_step="give --set PATH=JSON, or the whole event with --value FILE")
    return given["file"].read_text(encoding="utf-8") if given["file"] else None


def pair(change: str) -> tuple[str, str]:
    """Path and JSON of one ``--set``."""
    path, equals, text = change.partition("=")
    if not (path and equals):
        raise UsageError(f"--set {change}: write PATH=JSON, such as amount='\"12.30\"'")
    return path, text


def _show(edit: Edit, *, reveal: bool) -> None:
    from treaty.ops.dead_letters.body import masked

    def lines(value: object) -> list[str]:
        told = value if reveal else masked(value, edit.newest.schema.root, "", [])
        return json.dumps(told, indent=2, ensure_ascii=True).splitlines()

    before = lines(edit.before) if edit.before is not None else []
    newest = f"{edit.newest.subject} version {edit.newest.version}"
    for line in difflib.unified_diff(before, lines(edit.after), str(edit.letter.place), newest, lineterm=""):
        echo(line)
