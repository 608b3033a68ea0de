"""``treaty release`` in a repository: what it refuses, what it commits and tags, and what a kill leaves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import EVENT, Scratch, changed, project
from tests.treaty.ops.killed import killer

EVENT_FILE = "schemas/order/order_paid.avsc"
MOST_WRITES = 150
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A repository with the release 0.1.0 and its SDK, committed and tagged, and one change after it, committed too."""
    made = project(tmp_path / "project", toml='[breaking]\nagainst = ["releases"]\n[lint]\nuse = ["minimal"]\n')
    made.git("init", "-q", "-b", "main")
    for key, value in (("user.name", "t"), ("user.email", "t@example.com")):
        made.git("config", key, value)
    assert made.run("generate").code == 0
    made.commit()
    done = made.run("release", "--tag")
    assert (done.code, done.out.splitlines()[-1]) == (0, "tag schemas/v0.1.0"), done.err
    grow(made)
    assert made.run("generate").code == 0
    made.commit()
    return made


def grow(scratch: Scratch) -> None:
    body = changed(extra=["null", "string"])
    body["fields"][-1]["default"] = None
    scratch.write(EVENT_FILE, body)


def version_of_sdk(scratch: Scratch) -> str:
    lines = (scratch.root / "sdk/pyproject.toml").read_text().splitlines()
    return next(line for line in lines if line.startswith("version")).split('"')[1]


def test_the_tag_is_on_a_commit_that_holds_the_release_and_nothing_else(scratch: Scratch) -> None:
    scratch.write("notes.txt", "staged by somebody else")
    scratch.git("add", "notes.txt")
    before = version_of_sdk(scratch)
    done = scratch.run("release", "--tag")
    assert (done.code, done.out.splitlines()[-1]) == (0, "tag schemas/v0.2.0"), done.err
    assert scratch.git("cat-file", "-t", "schemas/v0.2.0") == "tag", "annotated"
    assert scratch.git("rev-parse", "schemas/v0.2.0^{commit}") == scratch.git("rev-parse", "HEAD")
    changed_files = scratch.git("show", "--name-only", "--format=", "HEAD").splitlines()
    assert {name.split("/")[0] for name in changed_files} == {"schemas", "sdk"}
    assert scratch.git("status", "--porcelain") == "A  notes.txt"
    assert (before, version_of_sdk(scratch)) == ("0.1.1.dev0", "0.2.0"), "the SDK has the version of its schemas"
    assert scratch.run("generate", "--check").code == 0
    log = (scratch.root / "schemas/CHANGELOG.md").read_text()
    assert [row for row in log.splitlines() if row.startswith("## ")] == ["## 0.2.0", "## 0.1.0"]
    assert scratch.run("breaking").code == 0
    set_file = scratch.write("schemas/releases/0.2.0/notes.md", "edited")
    assert "released-set-changed" in scratch.run("breaking").out
    set_file.unlink()
    again = scratch.run("release", "--tag")
    assert (again.code, "not committed" in again.err) == (1, True)


def test_what_is_not_committed_is_not_released(scratch: Scratch) -> None:
    scratch.write("services/handlers.py", "print()")
    scratch.write(EVENT_FILE, EVENT | {"doc": "Another doc of the event."})
    done = scratch.run("release")
    assert (done.code, EVENT_FILE in done.err) == (1, True)
    scratch.git("checkout", "--", EVENT_FILE)
    new = scratch.write("schemas/order/untracked.txt", "new")
    assert scratch.run("release").code == 1, "an untracked file may be a schema tomorrow"
    new.unlink()
    assert scratch.run("release", "--dry-run").code == 0, "what lies beside the schemas is nobody's business here"


def test_a_stale_sdk_is_not_released(scratch: Scratch) -> None:
    file = scratch.root / "sdk/src/events/order/__init__.py"
    file.write_text(file.read_text() + "# edited\n")
    scratch.commit()
    done = scratch.run("release")
    assert (done.code, "next: treaty generate" in done.err) == (1, True)


def test_nothing_of_the_repository_is_run(scratch: Scratch) -> None:
    for name in ("pre-commit", "commit-msg", "post-commit", "prepare-commit-msg", "reference-transaction"):
        hook = scratch.write(f".git/hooks/{name}", f"#!/bin/sh\ntouch '{scratch.root.parent}/ran-{name}'\n")
        hook.chmod(0o755)
    program = scratch.write(".git/sign", f"#!/bin/sh\ntouch '{scratch.root.parent}/ran-program'\n")
    program.chmod(0o755)
    for key, value in {
        "commit.gpgsign": "true",
        "tag.gpgsign": "true",
        "gpg.program": str(program),
        "core.fsmonitor": str(program),
        "core.editor": str(program),
        "filter.own.clean": str(program),
    }.items():
        scratch.git("config", key, value)
    scratch.write(".git/info/attributes", "* filter=own\n")
    done = scratch.run("release", "--tag")
    assert (done.code, done.out.splitlines()[-1]) == (0, "tag schemas/v0.2.0"), done.err
    assert not list(scratch.root.parent.glob("ran-*"))


def test_a_tag_needs_a_repository_and_is_not_moved(scratch: Scratch, tmp_path: Path) -> None:
    other = project(tmp_path / "other")
    done = other.run("release", "--tag")
    assert (done.code, (other.root / "schemas/releases").exists()) == (2, False)
    scratch.git("tag", "schemas/v0.2.0", "HEAD~1")
    done = scratch.run("release", "--tag")
    assert (done.code, "is on another commit" in done.err) == (1, True)


def test_of_two_releases_at_once_one_is_made(scratch: Scratch) -> None:
    words = [sys.executable, "-m", "treaty", "release", "--tag"]
    both = [subprocess.Popen(words, cwd=scratch.root, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [each.communicate()[1] for each in both]
    assert sorted(each.returncode for each in both) == [0, 1], said
    assert any("Nothing changed since 0.2.0" in each for each in said)
    assert scratch.git("tag", "--list").split() == ["schemas/v0.1.0", "schemas/v0.2.0"]
    assert scratch.git("status", "--porcelain") == ""


def files(root: Path) -> dict[str, bytes]:
    """Every file of a project, but for git's own and what a killed process left aside."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {
        path.as_posix(): (root / path).read_bytes()
        for path in paths
        if path.parts[0] != ".git" and not any(part.startswith(".") for part in path.parts)
    }


@pytest.mark.timeout(1500)
def test_a_kill_at_any_write_leaves_each_file_old_or_new_and_the_next_run_ends_the_same(
    scratch: Scratch, tmp_path: Path
) -> None:
    old = files(scratch.root)
    whole = Scratch(shutil.copytree(scratch.root, tmp_path / "whole"))
    assert whole.run("release", "--tag").code == 0
    new = files(whole.root)
    with killer() as dying:
        for write in range(1, MOST_WRITES):
            cut = Scratch(shutil.copytree(scratch.root, tmp_path / f"cut-{write}"))
            was_killed = dying.release(cut.root, write=write)
            if not was_killed:
                break
            now = files(cut.root)
            wrong = [name for name, data in now.items() if data not in (old.get(name), new.get(name))]
            assert not wrong, (write, wrong)
            released = {name for name in now if name.startswith("schemas/releases/0.2.0/")}
            assert len(released) in {0, 3}, (write, "the folder of a release is whole or not there")
            (cut.root / ".git/index.lock").unlink(missing_ok=True)  # git's own: it says so, and a person removes it
            if not cut.git("tag", "--list", "schemas/v0.2.0"):
                assert not dying.release(cut.root, write=0), write
            assert files(cut.root) == new, write
            shown = cut.git("show", "schemas/v0.2.0:schemas/releases/0.2.0/set.json")
            assert json.loads(shown)["version"] == "0.2.0"
            shutil.rmtree(cut.root)
        else:
            pytest.fail("a release writes more often than was counted")
    assert write > 10
