"""``treaty cache``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from treaty.cli.checks_cache import drawer
from treaty.cli.family import Family
from treaty.cli.project import debug_option

if TYPE_CHECKING:
    from treaty.ops.cache.drawer import Contents, Drawer


@click.group(name="cache", cls=Family)
def cache() -> None:
    """What lint, breaking and generate remember of earlier runs, in the user's cache folder.

    \b
    treaty cache show
    treaty cache clear

    Exit codes: 0, 2 usage, 3 there is no home folder.
    """


@cache.command(name="show")
@debug_option
def show() -> None:
    """Print where it is, how much it holds, and how much it may hold.

    \b
    treaty cache show
    TREATY_CACHE=/tmp/other treaty cache show

    Exit codes: 0, 2 usage, 3 there is no home folder.
    """
    found = existing()
    click.echo(f"{found.folder}\n{sentence(found.contents())} of at most {megabytes(found.most_bytes)}")


@cache.command(name="clear")
@debug_option
def clear() -> None:
    """Forget everything.

    \b
    treaty cache clear
    treaty cache clear && treaty lint -v

    Exit codes: 0, 2 usage, 3 there is no home folder.
    """
    click.echo(f"Forgotten: {sentence(existing().clear())}.", err=True)


def existing() -> Drawer:
    """The user's cache; ``EnvironmentFault`` for a user without a home."""
    from treaty.errors import EnvironmentFault

    found = drawer()
    if found is None:
        raise EnvironmentFault("There is no home folder.", next_step="export HOME=…, or TREATY_CACHE=…")
    return found


def sentence(contents: Contents) -> str:
    """``3 answers, 0.1 MB``."""
    noun = "answer" if contents.entries == 1 else "answers"
    return f"{contents.entries} {noun}, {megabytes(contents.size_bytes)}"


def megabytes(size_bytes: int) -> str:
    """``0.1 MB``, of a million bytes each."""
    return f"{size_bytes / 1_000_000:.1f} MB"
