"""Reports as CSV and as a page. What people typed is in them: it is escaped, and no cell begins a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")
STYLE = (
    "body{font:15px/1.5 system-ui;margin:2rem;max-width:60rem}table{border-collapse:collapse}"
    "td,th{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #ccc}"
)
Answer = tuple[Sequence[str], Sequence[Sequence[Any]]]


def as_csv(answer: Answer) -> str:
    """A heading and a line for each row (RFC 4180)."""
    names, rows = answer
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def as_page(answers: Sequence[tuple[str, Answer]], *, at: str) -> str:
    """All reports on one page."""
    parts = "".join(f"<h2>{escape(title)}</h2>{_table(answer)}" for title, answer in answers)
    head = f'<meta charset="utf-8"><title>Report</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>Report</h1><p>{escape(at)}</p>{parts}</body></html>'


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _table(answer: Answer) -> str:
    names, rows = answer
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = "".join("<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
