"""The action's script and the hooks, run in a scratch repository with the real command, as a hosting service and pre-commit do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cases.markdown import ROOT
from tests.treaty.cli.scratch import EVENT, Scratch, changed, project

ACTION = ROOT / ".github/actions/treaty-review"
TREATY = Path(sys.executable).parent / "treaty"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
GOOD, BAD = "schemas/order/order_paid.avsc", "schemas/order/order_lost.avsc"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = project(tmp_path / "project", toml='[breaking]\nagainst = ["merge-base"]\n[lint]\nuse = ["minimal"]\n')
    made.git("init", "-q", "-b", "main")
    for words in (("fmt",), ("generate",), ("owners", "--write", ".github/CODEOWNERS")):
        done = made.run(*words)
        assert done.code == 0, done.err
    made.commit()
    return made


def outputs(scratch: Scratch, **inputs: str) -> tuple[int, dict[str, str]]:
    """Runs the action's script with these inputs: its exit code, and what it gives to later steps."""
    names = ("BASE", "ENVIRONMENT", "ONLY", "APPROVALS", "COMMENT", "REPORT", "COMMAND")
    given = {"REPORT": "report.json", "COMMAND": str(TREATY), **inputs}
    env = {f"TREATY_REVIEW_{name}": given.get(name, "") for name in names}
    env |= {"PATH": os.environ["PATH"], "GITHUB_ACTION_PATH": str(ACTION), "GITHUB_OUTPUT": "output"}
    words = ["bash", str(ACTION / "review.sh")]
    code = subprocess.run(words, cwd=scratch.root, env=env, capture_output=True, check=False).returncode
    file = scratch.root / "output"
    rows = dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}
    file.unlink(missing_ok=True)
    return code, rows


def test_the_action_gives_what_it_found_to_later_steps(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "-b", "feature")
    scratch.write(GOOD, changed(order_id="string"))
    scratch.commit()
    code, rows = outputs(scratch, BASE="main", COMMENT="comment.md")
    assert code == 1
    assert int(rows.pop("findings")) > 0
    assert rows == {"bump": "minor", "plan": ""}, "the first release is MINOR"
    assert "type-changed" in (scratch.root / "comment.md").read_text()
    assert outputs(scratch, BASE="main", ONLY="bytes")[0] == 0
    assert outputs(scratch, BASE="no-such-branch", ONLY="breaking") == (2, {}), "no report, no outputs"


def hook(scratch: Scratch, name: str, *files: str) -> int:
    """Runs a hook as pre-commit does: with the changed files that it wants, and not at all where there are none."""
    told: dict[str, Any] = HOOKS[name]
    wanted = [file for file in files if re.search(told["files"], file)]
    if not wanted:
        return 0
    names = wanted if told.get("pass_filenames", True) else []
    return scratch.script(*told["entry"].split()[1:], *names).code


def test_hooks_look_at_changed_files_alone(scratch: Scratch) -> None:
    assert [hook(scratch, name, GOOD, "README.md") for name in HOOKS] == [0, 0, 0, 0]
    scratch.write(BAD, EVENT | {"name": "OrderLost", "fields": [{"name": "x", "type": "lon"}]})
    assert hook(scratch, "treaty-lint", BAD) == 1
    assert hook(scratch, "treaty-lint", GOOD) == 0, "what is wrong elsewhere is not this commit's business"
    assert hook(scratch, "treaty-lint", "README.md") == 0
    (scratch.root / BAD).unlink()
    scratch.write(GOOD, changed(order_id="string"))
    assert hook(scratch, "treaty-generate", GOOD) == 1
    topics = (scratch.root / "schemas/topics.toml").read_text()
    scratch.write("schemas/topics.toml", topics.replace("@mall/orders", "@mall/sales"))
    assert hook(scratch, "treaty-owners", "schemas/topics.toml") == 1
