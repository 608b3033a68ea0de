"""Findings as JSON: one document, or one finding a line. `findings.schema.json` says what stands in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from treaty_codegen.finding import Finding, Fix
from treaty_codegen.render.printable import printable_json


def as_json(finding: Finding) -> dict[str, Any]:
    """A finding as a JSON object: keys are the attributes' names, texts are printed in English."""
    body = asdict(finding)
    body["message"] = str(finding.message)
    body["help"] = None if finding.help is None else str(finding.help)
    body["severity"] = str(finding.severity)
    body["waived"] = None if finding.waived is None else str(finding.waived)
    body["fix"] = None if finding.fix is None else as_fix(finding.fix)
    return body


def as_fix(fix: Fix) -> dict[str, Any]:
    """A fix as a JSON object: the edits of the text, and the same as a JSON Patch (RFC 6902)."""
    return {
        "path": fix.path,
        "patch": [operation.as_json() for operation in fix.operations],
        "edits": [asdict(edit) for edit in fix.edits],
        "rename_to": fix.rename_to,
    }


def json_document(findings: Iterable[Finding]) -> str:
    """One document: version, findings, and how many there are of each severity."""
    rows = list(findings)
    document = {"version": 1, "findings": [as_json(row) for row in rows], "summary": summary(rows)}
    return printable_json(document, indent=2) + "\n"


def json_lines(findings: Iterable[Finding]) -> str:
    """One finding a line."""
    return "".join(printable_json(as_json(finding)) + "\n" for finding in findings)


def summary(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings of each severity."""
    counts = dict.fromkeys(("error", "warning", "info"), 0)
    for finding in findings:
        counts[str(finding.severity)] += 1
    return counts
