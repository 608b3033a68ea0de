"""Findings as JSON: one document, or one finding a line. `findings.schema.json` says what stands in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from treaty_codegen.finding import Finding


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


def summary(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings of each severity."""
    counts = dict.fromkeys(("error", "warning", "info"), 0)
    for finding in findings:
        counts[str(finding.severity)] += 1
    return counts
