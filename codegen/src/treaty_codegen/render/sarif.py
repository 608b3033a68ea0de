"""Findings as SARIF: what code scanning services and editors read.

Source: OASIS SARIF 2.1.0 and its JSON schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from treaty_codegen.finding import Finding, Fix, Location, Severity
from treaty_codegen.render.printable import printable_json
from treaty_codegen.render.report import Report

LEVELS: Final[Mapping[Severity, str]] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(report: Report) -> str:
    """One log with one run; columns count code points. Each rule that found something brings its page as help."""
    rules = list(report.by_rule())
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "treaty", "rules": [rule(name, report) for name in rules]}},
                "columnKind": "unicodeCodePoints",
                "results": [result(finding, rules.index(finding.rule)) for finding in report.findings],
            }
        ],
    }
    return printable_json(document, indent=2) + "\n"


def rule(name: str, report: Report) -> dict[str, Any]:
    """What is said of a rule: the first paragraph of its page in short, the page as help."""
    first = next(row for row in report.findings if row.rule == name)
    page = report.pages.get(name, "")
    says = re.search(r"^## What it says\n(.+?)(?:\n\n|\Z)", page, re.MULTILINE | re.DOTALL)
    short = " ".join(says[1].split()) if says else name
    body: dict[str, Any] = {"id": name, "shortDescription": {"text": short}, "properties": {"category": first.category}}
    if page:
        body["help"] = {"text": page, "markdown": page}
    return body


def result(finding: Finding, index: int) -> dict[str, Any]:
    """One finding; the events that it affects are logical locations."""
    proof = f"\n{finding.proof}" if finding.proof else ""
    help_ = f"\n{finding.help}" if finding.help else ""
    body: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.message}{proof}{help_}"},
        "locations": [{"physicalLocation": place(finding.at)}],
        "partialFingerprints": {"treaty/v1": finding.fingerprint},
    }
    names = finding.affects or ((finding.event,) if finding.event else ())
    if names:
        body["locations"][0]["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "type"} for name in names]
    if finding.against:
        body["properties"] = {"against": finding.against}
    if finding.fix is not None and finding.fix.edits:
        body["fixes"] = [fix(finding.fix, finding)]
    if finding.waived is not None:
        body["suppressions"] = [{"kind": "external", "status": "accepted", "justification": str(finding.waived)}]
    return body


def fix(what: Fix, finding: Finding) -> dict[str, Any]:
    """The edits that mend a finding; another name for a file cannot be said in SARIF."""
    replacements = [
        {
            "deletedRegion": {
                "startLine": edit.line,
                "startColumn": edit.column,
                "endLine": edit.end_line,
                "endColumn": edit.end_column,
            },
            "insertedContent": {"text": edit.text},
        }
        for edit in what.edits
    ]
    change = {"artifactLocation": artifact(what.path), "replacements": replacements}
    return {"description": {"text": str(finding.help or finding.message)}, "artifactChanges": [change]}


def artifact(path: str) -> dict[str, str]:
    """A file of the project."""
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def place(at: Location) -> dict[str, Any]:
    """A place in a file; an end that does not lie behind its start is left out."""
    region = {"startLine": at.line, "startColumn": at.column}
    if (at.end_line, at.end_column) > (at.line, at.column):
        region |= {"endLine": at.end_line, "endColumn": at.end_column}
    return {"artifactLocation": artifact(at.path), "region": region}
