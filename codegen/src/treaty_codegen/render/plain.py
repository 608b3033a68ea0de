"""Findings as lines for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from treaty_avro.errors import one_line
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.language import ENGLISH, Language
from treaty_codegen.render.frame import frame, lines_of
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
    sources: Mapping[str, str] | None = None,
    width: int = 80,
) -> str:
    """``path:line:col rule: message`` with indented proof, affected events and help; ``is_colored``: the rule by its severity.

    Each of them is one printable line, whatever stands in schemas, settings and names of files. ``sources``: path to text; a finding
    in one of them shows its line, at most ``width`` cells wide.
    """
    texts = {path: lines_of(source) for path, source in (sources or {}).items()}
    lines: list[str] = []
    for finding in findings:
        paint = _COLORS[finding.severity] if is_colored else ""
        lines += head(finding, language=language, paint=paint)
        if finding.at.path in texts:
            lines += frame(texts[finding.at.path], finding.at, width=width, paint=paint)
        lines += (f"  {one_line(line)}" for line in details(finding, language=language, most_readers=most_readers))
    return "".join(f"{line}\n" for line in lines)


def head(finding: Finding, *, language: Language, paint: str) -> Iterator[str]:
    """The one line that says it."""
    weight = "" if finding.severity is Severity.ERROR else f" ({language.say(finding.severity)})"
    rule = f"\x1b[{paint}m{finding.rule}\x1b[0m" if paint else finding.rule
    yield f"{one_line(str(finding.at))} {rule}{weight}: {one_line(str(finding.message))}"


def details(finding: Finding, *, language: Language, most_readers: int) -> Iterator[str]:
    """What is known besides, a line each."""
    say = language.say
    if finding.proof is not None:
        yield f"{say('proof')}: {language.proof(finding.proof)}"
        if finding.proof.python is not None:
            yield f"python: {say(finding.proof.python)}, {say(UNSEEN)}"
    if finding.affects:
        against = f" ({say('against')} {finding.against})" if finding.against else ""
        yield f"{say('affects')}: {', '.join(finding.affects)}{against}"
    yield from (f"{say('read by')}: {reader}" for reader in finding.readers[:most_readers])
    if len(finding.readers) > most_readers:
        yield f"{say('read by')}: {len(finding.readers) - most_readers} {say('more places')}"
    if finding.help is not None:
        yield f"{say('help')}: {finding.help}"


def plain(report: Report) -> str:
    """The findings of a report as ``text``; in colour, at full length and with their lines where that is asked for."""
    return text(
        report.findings,
        language=report.language,
        is_colored=report.is_colored,
        most_readers=sys.maxsize if report.is_verbose else MOST_READERS,
        sources=report.sources,
        width=report.width,
    )
