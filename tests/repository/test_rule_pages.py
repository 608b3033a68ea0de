"""Every rule has its page, and every case of a page is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT, Case, cases, expect
from tests.cases.rule_pages import breaking_findings, lint_findings
from treaty_codegen.breaking import ALL_RULES
from treaty_codegen.lint import ALL_RULES as LINT_RULES

PAGES = ROOT / "docs" / "rules"
KINDS = {"lint": LINT_RULES, "breaking": ALL_RULES}
HEADINGS = ("What it says", "Why it matters", "Example", "Use instead")
RUN = {"lint": lint_findings, "breaking": breaking_findings}


def page_of(kind: str, rule: str) -> Path:
    return PAGES / kind / f"{rule.replace('-', '_')}.md"


def rule_cases() -> Iterator[tuple[str, str, Case]]:
    for kind, rules in KINDS.items():
        for rule in rules:
            if page_of(kind, rule).is_file():
                yield from ((kind, rule, case) for case in cases(page_of(kind, rule)) if case.of("findings"))


@pytest.mark.parametrize(("kind", "rule"), [(kind, rule) for kind, rules in KINDS.items() for rule in rules])
def test_every_rule_has_a_page_with_the_fixed_headings_and_a_firing_and_a_silent_case(kind: str, rule: str) -> None:
    page = page_of(kind, rule)
    assert page.is_file(), f"{page.relative_to(ROOT)} is missing"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {rule}\n")
    found = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert tuple(heading for heading in found if heading in HEADINGS) == HEADINGS
    expected = [block.text for case in cases(page) for block in case.of("findings")]
    assert any(expected), f"{page.relative_to(ROOT)}: no case fires"
    assert not all(expected), f"{page.relative_to(ROOT)}: no case is silent"


def test_no_page_stands_without_its_rule() -> None:
    wanted = {page_of(kind, rule) for kind, rules in KINDS.items() for rule in rules}
    assert set(PAGES.glob("*/*.md")) == wanted


@pytest.mark.snapshot
@pytest.mark.parametrize(
    ("kind", "rule", "case"), list(rule_cases()), ids=lambda value: getattr(value, "place", str(value))
)
def test_a_rule_finds_what_its_page_says(kind: str, rule: str, case: Case) -> None:
    for block in case.of("findings"):
        expect(case, block, RUN[kind](case, rule))
