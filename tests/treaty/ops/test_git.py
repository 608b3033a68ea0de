"""Git is asked without executing anything of the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from treaty.errors import EnvironmentFault, UsageError
from treaty.ops import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    run(tmp_path, "init", "-q", "-b", "main")
    schemas = tmp_path / "schemas"
    (schemas / "order").mkdir(parents=True)
    (schemas / "order" / "a.avsc").write_text("old", encoding="utf-8")
    (schemas / "-x\nodd name.avsc").write_text("odd", encoding="utf-8")
    (schemas / "link.avsc").symlink_to("/etc/passwd")
    run(tmp_path, "add", "-A")
    run(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def run(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=folder, check=True)


def test_files_of_a_commit_are_read_without_a_checkout_and_links_are_left_out(repository: Path) -> None:
    (repository / "schemas" / "order" / "a.avsc").write_text("new", encoding="utf-8")
    found = git.files_at(repository, "main", repository / "schemas")
    assert found == {"order/a.avsc": b"old", "-x\nodd name.avsc": b"odd"}


@pytest.mark.parametrize("ref", ["--output=x", "-h", "nope", "HEAD:schemas", "main..main", "", "main\n"])
def test_a_ref_that_is_no_commit_is_refused_and_never_an_option(repository: Path, ref: str) -> None:
    with pytest.raises(UsageError, match="no commit"):
        git.commit_of(repository, ref)
    assert not (repository / "x").exists()


def test_a_partial_clone_says_what_fetches_the_rest_and_that_does(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run(repository, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path_factory.mktemp("partial")
    run(clone, "clone", "-q", "--filter=blob:none", "--no-checkout", repository.as_uri(), ".")
    (clone / "schemas").mkdir()
    with pytest.raises(EnvironmentFault, match="partial") as raised:
        git.files_at(clone, "HEAD", clone / "schemas")
    assert raised.value.next_step is not None
    run(clone, *raised.value.next_step.split()[1:])
    assert git.files_at(clone, "HEAD", clone / "schemas")["order/a.avsc"] == b"old"


def test_outside_a_repository_there_is_no_head(tmp_path: Path) -> None:
    assert git.head(tmp_path) == ""


def test_a_changed_tracked_file_makes_the_head_dirty(repository: Path) -> None:
    assert not git.head(repository).endswith("+dirty")
    (repository / "schemas" / "order" / "a.avsc").write_text("new", encoding="utf-8")
    assert git.head(repository).endswith("+dirty")


def test_hostile_repository_settings_execute_nothing(repository: Path) -> None:
    canary = repository / "canary"
    script = repository / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {canary}\n", encoding="utf-8")
    script.chmod(0o755)
    (repository / ".gitattributes").write_text("*.avsc filter=x\n*.txt filter=y=z\n", encoding="utf-8")
    (repository / "note.txt").write_text("one", encoding="utf-8")
    run(repository, "add", ".gitattributes", "note.txt")
    run(repository, "commit", "-q", "-m", "filtered")
    # As long as they were: only then does git look at the contents, through the filter.
    (repository / "schemas" / "order" / "a.avsc").write_text("new", encoding="utf-8")
    (repository / "note.txt").write_text("two", encoding="utf-8")
    for setting in (
        "core.fsmonitor",
        "diff.external",
        "core.sshCommand",
        "core.pager",
        "filter.x.smudge",
        "filter.x.clean",
        "filter.x.process",
        "filter.y=z.clean",
    ):
        run(repository, "config", setting, str(script))
    run(repository, "config", "filter.x.required", "true")
    assert git.head(repository).endswith("+dirty")
    git.files_at(repository, "main", repository / "schemas")
    assert not canary.exists()
