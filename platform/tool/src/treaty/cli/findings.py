"""How a check's findings leave a command: format, file, sum on stderr, exit code."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from treaty.cli.harmless import harmless, no_command
from treaty.cli.language import chosen
from treaty.cli.talk import is_for_a_terminal, is_verbose, may_be_colored

if TYPE_CHECKING:
    from treaty.ops.outcome import Outcome
    from treaty_codegen.language import Language

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("text", "json", "jsonl", "github", "gitlab", "junit", "sarif", "markdown")


def output_options(command: F) -> F:
    """Adds ``--format`` and ``--output``."""
    command = click.option(
        "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the findings to a file instead."
    )(command)
    return click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        help="How to print the findings (default: github under GITHUB_ACTIONS, else text).",
    )(command)


def finish(outcome: Outcome, *, format_: str | None, output: Path | None, strict: bool = False) -> int:
    """Prints everything; returns 1 if there is an error (``strict``: or a warning), else 0."""
    from treaty.ops.files import put
    from treaty_codegen.render import PRINTERS, Report, summary

    default = "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text"
    language = chosen()
    told = outcome.findings if language.code == "en" else tuple(map(language.finding, outcome.findings))
    chosen_format = format_ or default
    report = Report(
        findings=told,
        files=outcome.files,
        pages=pages(outcome) if chosen_format == "sarif" else {},
        language=language,
        is_colored=output is None and may_be_colored(),
        is_verbose=is_verbose(),
        sources=sources(outcome) if output is None and chosen_format == "text" and is_for_a_terminal() else {},
        width=shutil.get_terminal_size().columns,
    )
    printed = PRINTERS[chosen_format](report)
    if output is None:
        click.echo(no_command(printed) if chosen_format == "text" else printed, nl=False)
    else:
        put(output, printed)
    counts = summary(outcome.findings)
    click.echo(harmless(summed_up(outcome.looked_at, counts, language)), err=True)
    mendable = sum(finding.fix is not None for finding in outcome.findings)
    if mendable:
        words = language.say("{count} of them can be mended: treaty lint --fix")
        click.echo(f"  {words.format(count=mendable)}", err=True)
    return 1 if counts["error"] or (strict and counts["warning"]) else 0


def pages(outcome: Outcome) -> dict[str, str]:
    """The pages of the rules that found something: SARIF shows them, and to find them takes all rules."""
    from treaty.ops.rules import pages as pages_of

    return pages_of(outcome.findings)


def sources(outcome: Outcome) -> dict[str, str]:
    """The texts of the files that findings are about, as far as they can be read."""
    from treaty.ops.schemas import text_of

    texts: dict[str, str] = {}
    if outcome.root is not None:
        for path in dict.fromkeys(finding.at.path for finding in outcome.findings):
            file = outcome.root / path
            read = text_of(file, path) if os.path.lexists(file) else None
            if isinstance(read, str):
                texts[path] = read
    return texts


def summed_up(what: str, counts: Mapping[str, int], language: Language) -> str:
    """One line: what was checked, how many errors and warnings. English counts in words of its own."""
    if language.code == "en":
        return f"Checked {what}: {plural(counts['error'], 'error')}, {plural(counts['warning'], 'warning')}"
    words = language.say("Checked {what}: {errors} errors, {warnings} warnings")
    return words.format(what=what, errors=counts["error"], warnings=counts["warning"])


def plural(count: int, word: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
