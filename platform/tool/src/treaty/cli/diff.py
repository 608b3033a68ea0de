"""``treaty diff``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from treaty.cli.findings import plural
from treaty.cli.harmless import echo
from treaty.cli.language import chosen
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings
from treaty.cli.rows import Rows, row_options, show_rows


@click.command(name="diff")
@click.argument("before", default="merge-base", metavar="[A]")
@click.argument("after", default="tree", metavar="[B]")
@row_options
@config_option
def diff(*, config: Path | None, before: str, after: str, format_: str, output: Path | None) -> None:
    """Show what changed between A and B, without a verdict.

    A and B are tree, merge-base, release:1.4.0, registry:prod, dir:PATH, or a branch, tag or commit (git:REF).

    \b
    treaty diff
    treaty diff release:0.1.0 tree
    treaty diff registry:prod git:main --format json

    Exit codes: 0, 2 usage (unknown ref or release), 3 no git, a clone that is too shallow, no registry.
    """
    from treaty.ops.diff import facts, side
    from treaty.wiring import registry_of

    settings = load_settings(config)
    with working("Comparing schemas"):
        one, other = (side(settings, name, connect=partial(registry_of, settings)) for name in (before, after))
        found = list(facts(one, other))
    rows = Rows(
        name="differences",
        rows=[fact.as_json() for fact in found],
        columns=("event", "path", "kind", "before", "after"),
        text=map(str, found),
        summary={"before": one.label, "after": other.label, "differences": len(found)},
    )
    show_rows(rows, format_=format_, output=output)
    echo(summed_up(one.label, other.label, len(found)), err=True)


def summed_up(before: str, after: str, count: int) -> str:
    """One line: what was compared, and how many differences there are. English counts in words of its own."""
    language = chosen()
    if language.code == "en":
        return f"{before} → {after}: {plural(count, 'difference')}"
    words = language.say("{before} → {after}: {count} differences")
    return words.format(before=language.say(before), after=language.say(after), count=count)
