"""Findings as lines for people."""

from __future__ import annotations

from collections.abc import Iterable

from treaty_codegen.finding import Finding, Severity

MOST_READERS = 5
"""Places that are printed; all of them stand in the other formats."""


def text(findings: Iterable[Finding]) -> str:
    """``path:line:col rule: message`` with indented proof, affected events and help."""
    lines: list[str] = []
    for finding in findings:
        weight = "" if finding.severity is Severity.ERROR else f" ({finding.severity})"
        lines.append(f"{finding.at} {finding.rule}{weight}: {finding.message}")
        if finding.proof is not None:
            lines.append(f"  proof: {finding.proof}")
            if finding.proof.python is not None:
                lines.append(f"  python: {finding.proof.python}, so a test with treaty's own codec would not show it")
        if finding.affects:
            lines.append(
                f"  affects: {', '.join(finding.affects)}{f' (against {finding.against})' if finding.against else ''}"
            )
        lines += [f"  read by: {reader}" for reader in finding.readers[:MOST_READERS]]
        if len(finding.readers) > MOST_READERS:
            lines.append(f"  read by: {len(finding.readers) - MOST_READERS} more places")
        if finding.help is not None:
            lines.append(f"  help: {finding.help}")
    return "".join(f"{line}\n" for line in lines)
