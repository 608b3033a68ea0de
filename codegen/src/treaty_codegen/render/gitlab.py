"""Findings as a Code Quality report: what GitLab shows beside the changed lines.

Source: GitLab documentation, "Code Quality", report format (a subset of Code Climate's).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from treaty_codegen.finding import Finding, Severity
from treaty_codegen.render.printable import printable_json
from treaty_codegen.render.report import Report

SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "blocker",
    Severity.WARNING: "major",
    Severity.INFO: "minor",
}


def gitlab(report: Report) -> str:
    """One JSON array; the fingerprint is ours, so that a finding stays the same when lines move."""
    return printable_json([entry(finding) for finding in report.findings], indent=2) + "\n"


def entry(finding: Finding) -> dict[str, Any]:
    """One finding."""
    proof = f" ({finding.proof})" if finding.proof else ""
    return {
        "description": f"{finding.message}{proof}",
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint,
        "severity": SEVERITIES[finding.severity],
        "location": {"path": finding.at.path, "lines": {"begin": finding.at.line, "end": finding.at.end_line}},
    }
