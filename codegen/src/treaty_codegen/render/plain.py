"""Findings as lines for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from treaty_codegen.finding import Finding, Severity
from treaty_codegen.language import ENGLISH, Language
from treaty_codegen.render.report import Report

MOST_READERS = 5
"""Places that are printed; all of them stand in the other formats."""
UNSEEN = "so a test with treaty's own codec would not show it"


_COLORS: Final = {Severity.ERROR: "31;1", Severity.WARNING: "33", Severity.INFO: "34"}
"""Select Graphic Rendition codes of ECMA-48: bold red, yellow, blue."""


def text(
    findings: Iterable[Finding],
    *,
    language: Language = ENGLISH,
    is_colored: bool = False,
    most_readers: int = MOST_READERS,
) -> str:
    """``path:line:col rule: message`` with indented proof, affected events and help; ``is_colored``: the rule by its severity."""
    lines: list[str] = []
    say = language.say
    for finding in findings:
        weight = "" if finding.severity is Severity.ERROR else f" ({say(finding.severity)})"
        rule = f"\x1b[{_COLORS[finding.severity]}m{finding.rule}\x1b[0m" if is_colored else finding.rule
        lines.append(f"{finding.at} {rule}{weight}: {finding.message}")
        if finding.proof is not None:
            lines.append(f"  {say('proof')}: {language.proof(finding.proof)}")
            if finding.proof.python is not None:
                lines.append(f"  python: {say(finding.proof.python)}, {say(UNSEEN)}")
        if finding.affects:
            against = f" ({say('against')} {finding.against})" if finding.against else ""
            lines.append(f"  {say('affects')}: {', '.join(finding.affects)}{against}")
        lines += [f"  {say('read by')}: {reader}" for reader in finding.readers[:most_readers]]
        if len(finding.readers) > most_readers:
            lines.append(f"  {say('read by')}: {len(finding.readers) - most_readers} {say('more places')}")
        if finding.help is not None:
            lines.append(f"  {say('help')}: {finding.help}")
    return "".join(f"{line}\n" for line in lines)


def plain(report: Report) -> str:
    """The findings of a report as ``text``, in colour and at full length where that is asked for."""
    most = sys.maxsize if report.is_verbose else MOST_READERS
    return text(report.findings, language=report.language, is_colored=report.is_colored, most_readers=most)
