"""``treaty explain``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.language import chosen
from treaty.cli.project import debug_option
from treaty.cli.rows import Rows, row_options, show_rows


@click.command(name="explain")
@click.argument("rule", default="", metavar="[RULE]")
@row_options
@debug_option
def explain(rule: str, format_: str, output: Path | None) -> None:
    """Show the page of a rule: what it says, why it matters, an example, what to do instead. Without RULE, list all rules.

    \b
    treaty explain
    treaty explain decimal-scale-changed
    treaty explain field-without-doc --lang zh

    Exit codes: 0, 2 for an unknown rule.
    """
    show_rows(the_page(rule) if rule else all_rules(), format_=format_, output=output)


def the_page(rule: str) -> Rows:
    """One rule. Its page is Markdown, whatever the format."""
    from treaty.ops.rules import page

    text, own = page(rule), chosen().rules.get(rule)
    if own is not None:
        title, _, rest = text.partition("\n")
        text = f"{title}\n\n{own}\n{rest}"
    return Rows(name="rules", rows=[{"rule": rule, "page": text}], columns=("rule", "page"), text=text.splitlines())


def all_rules() -> Rows:
    """Every rule, and what it says in the language that was asked for."""
    from treaty.ops.rules import listed

    own = chosen().rules
    rows = [{"kind": kind, "rule": name, "says": own.get(name, says)} for kind, name, says in listed()]
    width = max(len(row["rule"]) for row in rows)
    return Rows(
        name="rules",
        rows=rows,
        columns=("kind", "rule", "says"),
        text=(f"{row['kind']:8}  {row['rule']:{width}}  {row['says']}" for row in rows),
        summary={"rules": len(rows)},
    )
