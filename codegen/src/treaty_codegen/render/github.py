"""Findings as workflow commands: annotations at the changed lines."""

from __future__ import annotations

import re
from collections.abc import Iterable

from treaty_avro.errors import one_line
from treaty_codegen.finding import Finding

GITHUB_LIMIT = 10
"""The platform shows at most ten annotations of each level; more would be hidden without a word."""


def github(findings: Iterable[Finding]) -> str:
    """Workflow commands; beyond ten of a level one more line counts the rest."""
    lines: list[str] = []
    shown: dict[str, int] = {}
    for finding in findings:
        level = {"error": "error", "warning": "warning", "info": "notice"}[str(finding.severity)]
        shown[level] = shown.get(level, 0) + 1
        if shown[level] > GITHUB_LIMIT:
            continue
        at = finding.at
        place = (
            f"file={_property(at.path)},line={at.line},col={at.column},endLine={at.end_line},endColumn={at.end_column}"
        )
        body = str(finding.message) + (f"\n{finding.proof}" if finding.proof else "")
        lines.append(f"::{level} {place},title={_property(finding.rule)}::{_data(body)}")
    for level, count in shown.items():
        if count > GITHUB_LIMIT:
            lines.append(f"::{level}::and {count - GITHUB_LIMIT} more; see the log")
    return "".join(f"{line}\n" for line in lines)


def _data(value: str) -> str:
    # What is not printable is shown as its escape; line breaks have escapes of the platform's own.
    parts = re.split(r"([\r\n])", value)
    shown = "".join(part if part in "\r\n" else one_line(part) for part in parts)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
