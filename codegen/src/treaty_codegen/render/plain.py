"""Findings as lines for people."""

from __future__ import annotations

from collections.abc import Iterable

from treaty_codegen.finding import Finding, Severity
from treaty_codegen.language import ENGLISH, Language

MOST_READERS = 5
"""Places that are printed; all of them stand in the other formats."""
UNSEEN = "so a test with treaty's own codec would not show it"


def text(findings: Iterable[Finding], *, language: Language = ENGLISH) -> str:
    """``path:line:col rule: message`` with indented proof, affected events and help."""
    lines: list[str] = []
    say = language.say
    for finding in findings:
        weight = "" if finding.severity is Severity.ERROR else f" ({say(finding.severity)})"
        lines.append(f"{finding.at} {finding.rule}{weight}: {finding.message}")
        if finding.proof is not None:
            lines.append(f"  {say('proof')}: {language.proof(finding.proof)}")
            if finding.proof.python is not None:
                lines.append(f"  python: {say(finding.proof.python)}, {say(UNSEEN)}")
        if finding.affects:
            against = f" ({say('against')} {finding.against})" if finding.against else ""
            lines.append(f"  {say('affects')}: {', '.join(finding.affects)}{against}")
        lines += [f"  {say('read by')}: {reader}" for reader in finding.readers[:MOST_READERS]]
        if len(finding.readers) > MOST_READERS:
            lines.append(f"  {say('read by')}: {len(finding.readers) - MOST_READERS} {say('more places')}")
        if finding.help is not None:
            lines.append(f"  {say('help')}: {finding.help}")
    return "".join(f"{line}\n" for line in lines)
