"""``treaty explain``."""

from __future__ import annotations

import click

from treaty.cli.language import chosen, lang_option


@click.command(name="explain")
@click.argument("rule")
@lang_option
def explain(rule: str) -> None:
    """Show the page of a rule: what it says, why it matters, an example, what to do instead.

    \b
    treaty explain decimal-scale-changed
    treaty explain field-without-doc --lang zh

    Exit codes: 0, 2 for an unknown rule.
    """
    from treaty.ops.rules import page

    text, own = page(rule), chosen().rules.get(rule)
    if own is not None:
        title, _, rest = text.partition("\n")
        text = f"{title}\n\n{own}\n{rest}"
    click.echo(text, nl=False)
