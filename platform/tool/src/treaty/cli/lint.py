"""``treaty lint``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.findings import finish, output_options
from treaty.cli.project import config_option, load_settings


@click.command(name="lint")
@click.option("--rule", "rules", multiple=True, metavar="RULE", help="Only this rule (may be repeated).")
@click.option("--strict", is_flag=True, help="Exit 1 for warnings too.")
@output_options
@config_option
def lint(config: Path | None, rules: tuple[str, ...], strict: bool, format_: str | None, output: Path | None) -> int:
    """Check schemas and topics for style and safety.

    \b
    treaty lint
    treaty lint --rule field-without-doc --format github

    Exit codes: 0 clean, 1 an error (--strict: or a warning), 2 usage.
    """
    from treaty.ops.check import run_lint
    from treaty.ops.rules import known

    known(rules, kind="lint")
    return finish(run_lint(load_settings(config), rules=rules), format_=format_, output=output, strict=strict)
