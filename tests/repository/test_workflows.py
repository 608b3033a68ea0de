"""Workflows and hooks for a hosting service, held without it: by their schemas, and by what they must never do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cases.markdown import ROOT
from treaty.cli import COMMANDS
from treaty.ops.ci import JOBS

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTION = GITHUB / "actions/treaty-review/action.yml"
SHA = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in WORKFLOWS:
        for job in load(file)["jobs"].values():
            yield from ((file.name, step) for step in job["steps"])
    yield from ((ACTION.name, step) for step in load(ACTION)["runs"]["steps"])


@pytest.mark.parametrize("file", [*WORKFLOWS, ACTION], ids=lambda file: file.name)
def test_each_is_valid_by_the_services_own_schema(file: Path) -> None:
    kind = "vendor.github-actions" if file == ACTION else "vendor.github-workflows"
    program = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run([program, "--builtin-schema", kind, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_names_of_required_checks_stay() -> None:
    jobs = load(GITHUB / "workflows/schemas-review.yml")["jobs"]
    names = [f"schemas / {check}" for check in jobs["check"]["strategy"]["matrix"]["check"]]
    assert jobs["check"]["name"] == "schemas / ${{ matrix.check }}"
    assert [*names, jobs["plan"]["name"]] == [f"schemas / {name}" for name in JOBS]


def test_actions_of_others_are_pinned_and_ours_are_there() -> None:
    for file, step in steps():
        uses = step.get("uses", "")
        if uses.startswith("./"):
            assert (ROOT / uses / "action.yml").is_file(), f"{file}: {uses}"
        elif uses:
            assert SHA.fullmatch(uses), f"{file}: {uses} is not pinned to a commit"


def test_no_expression_stands_in_a_script() -> None:
    """A branch, a title or a name may be called whatever a shell obeys; as a variable it is only a text."""
    for file, step in steps():
        assert "${{" not in step.get("run", ""), f"{file}: {step['run']}"


def test_a_foreign_branch_never_runs_with_rights() -> None:
    for file in WORKFLOWS:
        body = load(file)
        assert "pull_request_target" not in body["on"], file.name
        assert body["permissions"].get("contents") == "read", f"{file.name}: jobs that need more say so themselves"
        if "pull_request" in body["on"]:
            assert all(right == "read" for right in body["permissions"].values())
            assert not any("permissions" in job for job in body["jobs"].values())
            checkouts = [step for _, step in steps() if "actions/checkout" in step.get("uses", "")]
            assert checkouts
    comment = load(GITHUB / "workflows/schemas-comment.yml")
    (job,) = comment["jobs"].values()
    checkout = next(step for step in job["steps"] if "actions/checkout" in step.get("uses", ""))
    assert "default_branch" in checkout["with"]["ref"], "the job with rights runs the main branch's code"


def test_secrets_are_readers_where_a_branch_is_looked_at_and_only_for_own_branches() -> None:
    review = (GITHUB / "workflows/schemas-review.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"secrets\.(\w+)", review)) == {"TREATY_READER_TOKEN", "TREATY_ORG_TOKEN"}
    jobs = load(GITHUB / "workflows/schemas-review.yml")["jobs"]
    assert "head.repo.full_name == github.repository" in jobs["plan"]["if"]
    for job in jobs.values():
        assert "secrets" not in str(job.get("env", "")), "a secret is given to one step, and not to what is installed"
    comment = (GITHUB / "workflows/schemas-comment.yml").read_text(encoding="utf-8")
    assert "secrets." not in comment


def test_commands_in_workflows_and_hooks_exist() -> None:
    scripts = [step.get("run", "") for _, step in steps()]
    hooks = load(ROOT / ".pre-commit-hooks.yaml")
    assert [hook["id"] for hook in hooks] == ["treaty-fmt", "treaty-lint", "treaty-generate", "treaty-owners"]
    assert {hook["language"] for hook in hooks} == {"system"}
    lines = "\n".join([*scripts, *(f"treaty {hook['entry'].removeprefix('treaty ')}" for hook in hooks)])
    named = re.findall(r"(?:^|[ /])treaty ([a-z]+)", lines, re.MULTILINE)
    assert len(named) > 8
    assert set(named) <= set(COMMANDS)
    for word in re.findall(r"hosting\.py (\w+)", lines):
        assert f'"{word}": lambda' in (GITHUB / "actions/treaty-review/hosting.py").read_text(encoding="utf-8")


def test_a_report_that_lies_gives_outputs_that_a_job_can_use(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text('{"problems": [1, 2], "bump": "major\\nplan=forged", "plan_sha256": "x\\nfindings=0"}')
    words = [sys.executable, str(GITHUB / "actions/treaty-review/outputs.py"), str(report)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "findings=2\nbump=none\nplan=\n"


def test_the_actions_script_passes_on_what_it_is_given_and_nothing_runs(tmp_path: Path) -> None:
    said, output = tmp_path / "said", tmp_path / "output"
    command = tmp_path / "treaty"
    command.write_text(
        f'#!/bin/sh\nfor word; do echo "$word"; done > {said}\nenv | grep -c ^TREATY_ >> {said}\nexit 1\n'
    )
    command.chmod(0o755)
    hostile = f"$(touch {tmp_path}/ran); `touch {tmp_path}/ran` --output=x"
    env = {
        "PATH": os.environ["PATH"],
        "GITHUB_ACTION_PATH": str(ACTION.parent),
        "GITHUB_OUTPUT": str(output),
        "TREATY_REVIEW_BASE": hostile,
        "TREATY_REVIEW_ENVIRONMENT": "",
        "TREATY_REVIEW_ONLY": "",
        "TREATY_REVIEW_APPROVALS": "",
        "TREATY_REVIEW_COMMENT": "comment.md",
        "TREATY_REVIEW_REPORT": "report.json",
        "TREATY_REVIEW_COMMAND": str(command),
    }
    done = subprocess.run(["bash", str(ACTION.parent / "review.sh")], cwd=tmp_path, env=env, check=False)
    assert done.returncode == 1, "the checks' own code"
    assert said.read_text().splitlines() == [
        "ci",
        "--report=report.json",
        f"--base={hostile}",
        "--comment=comment.md",
        "0",
    ]
    assert not (tmp_path / "ran").exists()
