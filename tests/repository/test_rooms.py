"""A newcomer finds every module of the two large packages in the table of its page, in exactly one room."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.cases.markdown import ROOT
from tests.repository.test_house import PACKAGES


@pytest.mark.parametrize(
    ("page", "package"), [("platform/avro/README.md", "treaty_avro"), ("platform/runtime/README.md", "treaty_runtime")]
)
def test_every_module_stands_in_one_room(page: str, package: str) -> None:
    _, _, section = (ROOT / page).read_text(encoding="utf-8").partition("## Where is what")
    rows = [line.split("|", 2)[2] for line in section.splitlines() if line.startswith("| ")]
    named = Counter(word for row in rows for word in re.findall(r"`(\w+)`", row))
    found = {
        path.stem for path in PACKAGES[package].iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    } - {"__init__"}
    assert named.keys() == found, f"{page}: give each module a room, and no room to what is gone"
    assert set(named.values()) == {1}, f"{page}: {[word for word, times in named.items() if times > 1]} stand twice"
