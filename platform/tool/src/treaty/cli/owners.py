"""``treaty owners``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.harmless import echo
from treaty.cli.language import chosen
from treaty.cli.project import config_option, load_settings
from treaty.cli.rows import Rows, row_options, show_rows

FILE = Path(".github/CODEOWNERS")


@click.command(name="owners")
@click.option("--write", "target", type=click.Path(path_type=Path, dir_okay=False), help="Keep the block in this file.")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 if the file (--write, else .github/CODEOWNERS) is stale."
)
@row_options
@config_option
def owners(*, config: Path | None, target: Path | None, check: bool, format_: str, output: Path | None) -> int:
    """Print who owns which schema file, as a block for CODEOWNERS.

    \b
    treaty owners
    treaty owners --write .github/CODEOWNERS
    treaty owners --check

    Exit codes: 0 printed, written or fresh, 1 stale (--check), 2 usage, 3 disk.
    """
    from treaty.ops import owners as ops

    settings = load_settings(config)
    is_kept = target is not None or check
    fresh = not is_kept or ops.is_fresh(settings, target or settings.root / FILE, write=not check)
    if not is_kept or format_ != "text" or output is not None:
        rows = Rows(
            name="owners",
            rows=[{"path": path, "owners": names} for path, names in ops.owned_files(settings)],
            columns=("path", "owners"),
            text=ops.block(settings).splitlines(),
            summary={"is_fresh": fresh} if check else {},
        )
        show_rows(rows, format_=format_, output=output)
    if check and not fresh:
        file, language = target or FILE, chosen()
        words = language.say("{file} is not what the schemas say.").format(file=file)
        echo(f"{words}\n  {language.say('next')}: treaty owners --write {file}", err=True)
    return 1 if check and not fresh else 0
