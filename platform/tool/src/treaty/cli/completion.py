"""``treaty completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    source <(treaty completion bash)
    treaty completion fish > ~/.config/fish/completions/treaty.fish

    Exit codes: 0, 2 for an unknown shell.
    """
    from treaty.cli import treaty

    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(maker(treaty, {}, "treaty", "_TREATY_COMPLETE").source())
