"""What the pages at the top of the repository show is what happens: their example runs, their links lead somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT, cases, expect
from treaty.cli import COMMANDS

PAGES = sorted(ROOT.glob("*.md"))
GIT = ("git", "-c", "user.name=reader", "-c", "user.email=reader@example.org", "-c", "commit.gpgsign=false")


@pytest.mark.snapshot
@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_two_more_decimals_are_answered_as_the_readme_shows(name: str, tmp_path: Path) -> None:
    (found,) = [
        (case, block)
        for case in cases(ROOT / name)
        for block in case.blocks
        if block.text.startswith("$ treaty breaking")
    ]
    command = found[1].text.splitlines()[0]
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    shutil.copy(ROOT / "treaty.toml", tmp_path)
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "Begin")):
        subprocess.run([*GIT, *words], cwd=tmp_path, check=True)
    schema = tmp_path / "schemas/order/order_created.avsc"
    text = schema.read_text(encoding="utf-8")
    assert text.count('"scale": 2') == 1
    schema.write_text(text.replace('"scale": 2', '"scale": 4'), encoding="utf-8")
    argv = [sys.executable, "-m", *command.removeprefix("$ ").split()]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 1, done.stderr
    expect(*found, f"{command}\n{done.stdout}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_to_something(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_targets_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`treaty ([a-z]+)", text)) <= set(COMMANDS)
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
