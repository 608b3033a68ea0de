"""Findings as people and machines read them: one printer a format, all from the same values."""

from collections.abc import Callable, Mapping

from treaty_codegen.render.github import github
from treaty_codegen.render.gitlab import gitlab
from treaty_codegen.render.jsontext import json_document, json_lines, summary
from treaty_codegen.render.junit import junit
from treaty_codegen.render.markdown import markdown
from treaty_codegen.render.plain import plain, text
from treaty_codegen.render.report import Report
from treaty_codegen.render.sarif import sarif

__all__ = [
    "PRINTERS",
    "Report",
    "github",
    "gitlab",
    "json_document",
    "json_lines",
    "junit",
    "markdown",
    "sarif",
    "summary",
    "text",
]

PRINTERS: Mapping[str, Callable[[Report], str]] = {
    "text": plain,
    "json": lambda report: json_document(report.findings),
    "jsonl": lambda report: json_lines(report.findings),
    "github": lambda report: github(report.findings),
    "gitlab": gitlab,
    "junit": junit,
    "sarif": sarif,
    "markdown": markdown,
}
"""Format to printer."""
