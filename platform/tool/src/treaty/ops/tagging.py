"""What a release does to git: it looks for what is not committed, commits its own files and puts a tag there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from treaty.errors import EnvironmentFault, TreatyError, UsageError
from treaty.ops.git import commit_of, run_git, tags, without_filters

QUIET = ("--literal-pathspecs", "-c", "gc.auto=0", "-c", "maintenance.auto=false")
"""Paths are paths and no patterns; nothing is tidied up in the background."""

TAG: Final = "schemas/v"
"""How the tag of a release begins; its version follows."""


class TagTaken(TreatyError):
    """The release has a tag already, on another commit."""

    exit_code = 1


def uncommitted(root: Path, paths: Iterable[Path]) -> list[str]:
    """Files below ``paths`` that git does not have like this, sorted; none outside a repository or before its first commit."""
    try:
        commit_of(root, "HEAD")
    except (UsageError, EnvironmentFault):
        return []
    words = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=all", "--")
    names = [str(path) for path in paths]
    listed = run_git(root, *QUIET, *words, *names, settings=without_filters(root))
    return sorted(row[3:].decode(errors="replace") for row in listed.split(b"\0") if row)


def commit(root: Path, paths: Iterable[Path], message: str) -> str:
    """Commits exactly these files as they are on disk, deleted ones too, and nothing else that may be staged; the commit's hash.

    No hook, filter or signing program of the repository runs.
    """
    names = [os.fspath(path) for path in paths]
    if names and uncommitted(root, [Path(name) for name in names]):
        filters = without_filters(root)
        run_git(root, *QUIET, "add", "--all", "--", *names, settings=filters)
        words = ("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--only", "--message", message, "--")
        run_git(root, *QUIET, *words, *names, settings=filters)
    return commit_of(root, "HEAD")


def annotate(root: Path, name: str, message: str) -> None:
    """Puts an annotated tag on HEAD; nothing happens where it is there already. Raises ``TagTaken`` if it is elsewhere."""
    if name in tags(root, name):
        if commit_of(root, f"refs/tags/{name}") != commit_of(root, "HEAD"):
            raise TagTaken(f"The tag {name} is on another commit.", next_step=f"git show {name}")
        return
    run_git(root, "tag", "--annotate", "--no-sign", "--message", message, "--end-of-options", name)
