"""All that a check has to say at once: its findings, the files that it looked at, and the pages of its rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from treaty_codegen.finding import Finding
from treaty_codegen.language import ENGLISH, Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``files``: paths that were checked, clean ones too. ``pages``: rule to its Markdown page, as far as there is one.

    The findings are in the ``language`` already; it is for the words around them. ``is_colored``, ``is_verbose`` (every reader),
    ``sources`` (path to text: findings in it show their line) and ``width`` (cells of the terminal) matter to texts for people alone.
    """

    findings: tuple[Finding, ...]
    files: tuple[str, ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)
    language: Language = ENGLISH
    is_colored: bool = False
    is_verbose: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    width: int = 80

    def by_rule(self) -> Mapping[str, tuple[Finding, ...]]:
        """The findings of each rule that found something, rules in alphabetical order."""
        names = sorted({finding.rule for finding in self.findings})
        return {name: tuple(row for row in self.findings if row.rule == name) for name in names}

    def clean_files(self) -> Iterator[str]:
        """Files without any finding."""
        told = {finding.at.path for finding in self.findings}
        return (path for path in self.files if path not in told)
