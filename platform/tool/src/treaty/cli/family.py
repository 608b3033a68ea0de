"""A command with commands below it; a name that none of them has is answered with the nearest."""

from __future__ import annotations

import difflib
from collections.abc import Collection

import click


class Family(click.Group):
    """``treaty topics``, ``treaty registry users``: the commands below it are of its kind too."""

    group_class = type

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names; for an unknown one the usage and the nearest name."""
        if args and not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            ctx.fail(unknown(args[0], self.list_commands(ctx), of=ctx.command_path))
        return super().resolve_command(ctx, args)


def unknown(name: str, known: Collection[str], *, of: str) -> str:
    """The sentence about a name that no command has."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"No command `{name}`. " + (f"Did you mean `{close[0]}`?" if close else f"See `{of} --help`.")
