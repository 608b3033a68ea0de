"""The runtime's guide: every block runs, in order, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from tests.cases.python_pages import run_python

PAGE = ROOT / "docs/guide/runtime.md"


def test_every_block_of_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_python(PAGE, {"__name__": "guide"}) == 9


@pytest.mark.parametrize("name", ["runtime.md", "testing.md", "promises.md", "dead-letters.md", "operate.md"])
def test_links_lead_to_pages(name: str) -> None:
    page = ROOT / "docs/guide" / name
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{name} links to {target}"
