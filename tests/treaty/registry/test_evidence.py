"""The page that says what shows what names tests that are there."""

from __future__ import annotations

import re

from tests.cases.markdown import ROOT

PAGE = ROOT / "docs/registry/evidence.md"
HERE = ROOT / "tests/treaty/registry"


def test_every_test_and_file_that_the_page_names_exists() -> None:
    named = re.findall(r"`((?:tests/[\w/]+/)?(?:test_)?\w+\.py)(?:::(\w+))?`", PAGE.read_text(encoding="utf-8"))
    assert named
    for file, name in named:
        path = ROOT / file if file.startswith("tests/") else HERE / file
        assert path.is_file(), file
        assert not name or f"def {name}(" in path.read_text(encoding="utf-8"), f"{file}::{name}"
