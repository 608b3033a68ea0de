"""``treaty explain``."""

from __future__ import annotations

import click


@click.command(name="explain")
@click.argument("rule")
def explain(rule: str) -> None:
    """Show the page of a rule: what it says, why it matters, an example, what to do instead.

    \b
    treaty explain decimal-scale-changed
    treaty explain field-without-doc

    Exit codes: 0, 2 for an unknown rule.
    """
    from treaty.ops.rules import page

    click.echo(page(rule), nl=False)
