"""Findings as the comment of a pull request: a table of events, each error with its proof, the rest folded.

Texts of schemas appear as texts: no markup, no mention and no command of theirs comes into force.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from treaty_avro.errors import one_line
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.render.report import Report

MARK: Final = "<!-- treaty:review -->"
"""Stands first in the comment, so that the next run finds it and edits it."""

LONGEST: Final = 60_000
"""Characters of a comment; hosting services refuse more than 65,536."""

MOST_READERS: Final = 10

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "wire": ("wire", "evolution", "syntax"),
    "meaning": ("meaning", "types"),
    "SDK": ("source", "names"),
    "rules": ("policy", "governance", "docs"),
}
"""Column of the table to the categories of findings that it sums up."""

_COMMAND: Final = re.compile(":(?=:)")
_MARKUP: Final = re.compile(r"[!\"#$%&*+<=>?@\[\\\]^_`{|}~]")


def markdown(report: Report) -> str:
    """The comment. Beyond 60,000 characters the details go, then the rows of the table; counts stay."""
    errors = [row for row in report.findings if row.severity is Severity.ERROR]
    rest = [row for row in report.findings if row.severity is not Severity.ERROR]
    head = f"{MARK}\n### Event review: {headline(len(errors))}\n"
    counts = f"\nErrors: {len(errors)}. Warnings and remarks: {len(rest)}. Files: {len(report.files)}.\n"
    table, details = "".join(rows(report.findings)), "".join(detail(row) for row in errors)
    folded = (
        f"\n<details><summary>{len(rest)} warnings and remarks</summary>\n\n{listed(rest)}\n</details>\n"
        if rest
        else ""
    )
    for parts in ((head, table, details, folded, counts), (head, table, details, counts), (head, table, counts)):
        comment = "".join(parts)
        if len(comment) <= LONGEST:
            return comment
    return head + counts


def headline(errors: int) -> str:
    """What is to be done, in a few words."""
    return "nothing must be fixed" if not errors else f"{errors} {'change' if errors == 1 else 'changes'} must be fixed"


def rows(findings: Iterable[Finding]) -> Iterator[str]:
    """The table: an event a row, a group of rules a column, the worst severity and the number in a cell."""
    by_event: dict[str, list[Finding]] = {}
    for finding in findings:
        for name in finding.affects or (finding.event or finding.at.path,):
            by_event.setdefault(name, []).append(finding)
    if by_event:
        yield f"\n| event | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}\n"
    for name in sorted(by_event):
        cells = " | ".join(cell(by_event[name], categories) for categories in COLUMNS.values())
        yield f"| {as_text(name)} | {cells} |\n"


def cell(findings: Iterable[Finding], categories: tuple[str, ...]) -> str:
    """``\N{HEAVY MULTIPLICATION X} 2``: two findings, one of them an error at least."""
    own = [row.severity for row in findings if row.category in categories]
    if not own:
        return "ok"
    sign = "\N{HEAVY MULTIPLICATION X}" if Severity.ERROR in own else "!" if Severity.WARNING in own else "i"
    return f"{sign} {len(own)}"


def detail(finding: Finding) -> str:
    """One error as a paragraph."""
    lines = [
        f"\n**\N{HEAVY MULTIPLICATION X} {as_text(finding.rule)}** {as_code(f'{finding.at.path}:{finding.at.line}')}",
        as_text(str(finding.message)),
    ]
    if finding.proof is not None:
        lines.append(f"Proof: {as_code(str(finding.proof))}")
    if finding.affects:
        against = f" (against {as_text(finding.against)})" if finding.against else ""
        lines.append(f"Affects {as_text(', '.join(finding.affects))}{against}.")
    if finding.readers:
        more = f" and {len(finding.readers) - MOST_READERS} more places" if len(finding.readers) > MOST_READERS else ""
        lines.append(f"Read by {', '.join(as_code(str(reader)) for reader in finding.readers[:MOST_READERS])}{more}.")
    if finding.help is not None:
        lines.append(f"Fix: {as_text(str(finding.help))}.")
    lines.append(f"To go ahead anyway: {as_code(f'treaty waive {finding.fingerprint}')}")
    return "  \n".join(lines) + "\n"


def listed(findings: Iterable[Finding]) -> str:
    """Findings as a list, one line each."""
    return "".join(
        f"- {as_code(f'{row.at.path}:{row.at.line}')} {as_text(row.rule)}: {as_text(str(row.message))}\n"
        for row in findings
    )


def as_text(text: str) -> str:
    """A text that stays one: every character of markup as its number, mentions cut, one line, nothing that turns its direction, and
    no ``::``, which would begin a command in the log of a workflow.
    """
    plain = _MARKUP.sub(lambda found: f"&#{ord(found[0])};", one_line(" ".join(text.split())))
    return _COMMAND.sub("&#58;", plain.replace("&#64;", "&#64;<!-- -->").replace("://", "&#58;//"))


def as_code(text: str) -> str:
    """A text in a monospaced font."""
    return f"<code>{as_text(text)}</code>"
