"""The testing kit from its page alone: the page's files in an empty folder, run by a pytest that sees no file of this repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cases.markdown import ROOT, cases

PAGE = ROOT / "docs/guide/testing.md"


def files() -> dict[str, str]:
    return {block.argument: block.text for case in cases(PAGE) for block in (*case.of("python"), *case.of("ini"))}


def test_the_page_is_a_project_whose_tests_pass(tmp_path: Path) -> None:
    for name, text in files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=170,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def test_every_call_of_the_kit_stands_on_its_page() -> None:
    from treaty_runtime.testing import Harness
    from treaty_runtime.testing.chaos import Chaos

    text = PAGE.read_text(encoding="utf-8")
    for kind in (Harness, Chaos):
        for name in (name for name in vars(kind) if not name.startswith("_")):
            assert name in text or name == "close", f"{kind.__name__}.{name}"
