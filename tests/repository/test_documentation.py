"""The first page of the documentation leads to every page of it."""

from __future__ import annotations

import re

from tests.cases.markdown import ROOT

DOCS = ROOT / "docs"
FOLDERS = ("adr", "catalog", "cli", "rules")
"""Linked as folders: their pages are named by what they are about."""


def test_every_page_is_led_to_and_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (DOCS / "README.md").read_text(encoding="utf-8"))
    assert [link for link in links if not (DOCS / link).exists()] == []
    pages = {
        path.relative_to(DOCS).as_posix()
        for path in DOCS.rglob("*.md")
        if path.relative_to(DOCS).parts[0] not in FOLDERS and path != DOCS / "README.md"
    }
    assert pages - set(links) == set()
