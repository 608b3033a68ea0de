"""Findings as people and machines read them: one printer per format, all from the same values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from treaty_codegen.finding import Finding, Severity

GITHUB_LIMIT = 10
"""The platform shows at most ten annotations of each level; more would be hidden without a word."""


def text(findings: Iterable[Finding]) -> str:
    """``path:line:col rule: message`` with indented proof, affected events and help."""
    lines: list[str] = []
    for finding in findings:
        weight = "" if finding.severity is Severity.ERROR else f" ({finding.severity})"
        lines.append(f"{finding.at} {finding.rule}{weight}: {finding.message}")
        if finding.proof is not None:
            lines.append(f"  proof: {finding.proof}")
        if finding.affects:
            lines.append(
                f"  affects: {', '.join(finding.affects)}{f' (against {finding.against})' if finding.against else ''}"
            )
        if finding.help is not None:
            lines.append(f"  help: {finding.help}")
    return "".join(f"{line}\n" for line in lines)


def as_json(finding: Finding) -> dict[str, Any]:
    """A finding as a JSON object: keys are the attributes' names, texts are printed in English."""
    body = asdict(finding)
    body["message"] = str(finding.message)
    body["help"] = None if finding.help is None else str(finding.help)
    body["severity"] = str(finding.severity)
    return body


def json_document(findings: Iterable[Finding]) -> str:
    """One document: version, findings, and how many there are of each severity."""
    rows = list(findings)
    document = {"version": 1, "findings": [as_json(row) for row in rows], "summary": summary(rows)}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def json_lines(findings: Iterable[Finding]) -> str:
    """One finding a line."""
    return "".join(json.dumps(as_json(finding), ensure_ascii=False) + "\n" for finding in findings)


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
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def summary(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings of each severity."""
    counts = dict.fromkeys(("error", "warning", "info"), 0)
    for finding in findings:
        counts[str(finding.severity)] += 1
    return counts


PRINTERS: Mapping[str, Callable[[Iterable[Finding]], str]] = {
    "text": text,
    "json": json_document,
    "jsonl": json_lines,
    "github": github,
}
"""Format to printer."""
