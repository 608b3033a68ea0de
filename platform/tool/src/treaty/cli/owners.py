"""``treaty owners``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.harmless import echo
from treaty.cli.project import config_option, load_settings

FILE = Path(".github/CODEOWNERS")


@click.command(name="owners")
@click.option("--write", "target", type=click.Path(path_type=Path, dir_okay=False), help="Keep the block in this file.")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 if the file (--write, else .github/CODEOWNERS) is stale."
)
@config_option
def owners(config: Path | None, target: Path | None, check: bool) -> int:
    """Print who owns which schema file, as a block for CODEOWNERS.

    \b
    treaty owners
    treaty owners --write .github/CODEOWNERS
    treaty owners --check

    Exit codes: 0 printed, written or fresh, 1 stale (--check), 2 usage, 3 disk.
    """
    from treaty.ops import owners as ops

    settings = load_settings(config)
    if target is None and not check:
        echo(ops.block(settings), nl=False)
        return 0
    fresh = ops.is_fresh(settings, target or settings.root / FILE, write=not check)
    if check and not fresh:
        file = target or FILE
        echo(f"{file} is not what the schemas say.\n  next: treaty owners --write {file}", err=True)
    return 1 if check and not fresh else 0
