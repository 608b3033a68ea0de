"""Git, as a process that executes nothing of the repository: hooks, monitors, filters and prompts are off."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from treaty.errors import EnvironmentFault, TreatyError, UsageError

SAFE = ("-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null", "-c", "diff.external=", "-c", "protocol.allow=never")


def run_git(
    root: Path, *arguments: str, data: bytes | None = None, settings: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """Runs git in ``root`` and returns its output; ``settings`` win over the repository's.

    Raises ``UsageError`` with git's words, ``EnvironmentFault`` without git or where a partial clone lacks what is asked for:
    nothing is fetched, since the repository's settings would say how.
    """
    program = shutil.which("git")
    if program is None:
        raise EnvironmentFault("git is not installed.", next_step="install git")
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    # By variables: a key may hold an equals sign, at which -c would cut it.
    env["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    done = subprocess.run([program, *SAFE, *arguments], cwd=root, env=env, input=data, capture_output=True, check=False)  # noqa: S603  # a program that was looked up, no shell
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        if any("promisor remote" in line for line in words):
            raise EnvironmentFault(
                "This clone is partial and lacks old contents.", next_step="git fetch --refetch --no-filter"
            )
        raise UsageError(f"git: {words[-1] if words else 'failed'}")
    return done.stdout


def commit_of(root: Path, ref: str) -> str:
    """The full hash that ``ref`` names. A ref that looks like an option is one that does not exist.

    Raises ``UsageError`` for an unknown ref or no repository at all, ``EnvironmentFault`` where a shallow clone may lack it.
    """
    try:
        found = run_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except UsageError as error:
        raise unknown(root, f"git knows no commit `{ref}` here.") from error
    return found.decode().strip()


def tags(root: Path, prefix: str) -> list[str]:
    """Names of all tags that begin with ``prefix``, without ``refs/tags/``; none outside a repository."""
    try:
        listed = run_git(root, "for-each-ref", "--format=%(refname)", f"refs/tags/{prefix}*")
    except (UsageError, EnvironmentFault):
        return []
    return [line.removeprefix("refs/tags/") for line in listed.decode(errors="surrogateescape").splitlines()]


def branches(root: Path) -> list[str]:
    """Names of all branches, those of ``origin`` without its name; none outside a repository."""
    try:
        listed = run_git(root, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes/origin")
    except (UsageError, EnvironmentFault):
        return []
    names = listed.decode(errors="surrogateescape").splitlines()
    return sorted({name.removeprefix("refs/heads/").removeprefix("refs/remotes/origin/") for name in names})


def merge_base(root: Path, base: str) -> tuple[str, str]:
    """Name of the branch and hash of the commit at which HEAD left it. ``base`` "": origin's head, else ``main``."""
    head_commit = commit_of(root, "HEAD")
    tried = (base, f"origin/{base}") if base else ("origin/HEAD", "main")
    for name in tried:
        try:
            other = commit_of(root, name)
        except UsageError:
            continue
        try:
            return name, run_git(root, "merge-base", head_commit, other).decode().strip()
        except UsageError as error:
            raise unknown(root, f"HEAD and `{name}` have no commit in common here.") from error
    raise unknown(root, f"git knows neither `{tried[0]}` nor `{tried[1]}` here.")


def unknown(root: Path, sentence: str) -> TreatyError:
    """The fault behind a missing commit: no repository, no commit yet, a shallow clone, or a wrong name."""
    try:
        is_shallow = run_git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
    except UsageError as error:
        if "not a git repository" not in str(error):
            return error
        return UsageError(
            f"{root} is in no git repository.", next_step="run it in a clone, or compare with releases or dir:PATH"
        )
    if is_shallow:
        return EnvironmentFault(f"{sentence} The clone is shallow.", next_step="git fetch --unshallow")
    try:
        run_git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    except UsageError:
        return UsageError(f"{sentence} The repository has no commit yet.", next_step="commit first")
    return UsageError(sentence, next_step="name a branch, a tag or a commit")


def head(root: Path) -> str:
    """Hash of HEAD, with ``+dirty`` if a tracked file differs; empty outside a repository or before the first commit."""
    try:
        commit = commit_of(root, "HEAD")
        words = ("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
        dirty = run_git(root, *words, settings=without_filters(root))
    except (UsageError, EnvironmentFault):
        return ""
    return f"{commit}+dirty" if dirty else commit


def without_filters(root: Path) -> dict[str, str]:
    """Settings that turn every filter off: a changed file would be sent through its ``clean`` command to be compared."""
    keys = run_git(root, "config", "--null", "--name-only", "--list").decode(errors="surrogateescape").split("\0")
    return {key: "false" if key.endswith(".required") else "" for key in keys if key.startswith("filter.")}


def files_at(root: Path, ref: str, folder: Path) -> dict[str, bytes]:
    """Contents of all plain files below ``folder`` at ``ref``, by path relative to it; links and submodules are left out."""
    commit = commit_of(root, ref)
    top = Path(run_git(root, "rev-parse", "--show-toplevel").decode().strip())
    if not folder.resolve().is_relative_to(top.resolve()):
        raise UsageError(f"{folder} lies outside the repository {top}.")
    prefix = folder.resolve().relative_to(top.resolve()).as_posix()
    below = [] if prefix == "." else [f"{prefix}/"]
    listed = run_git(top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *below).split(b"\0")
    blobs: dict[str, str] = {}
    for row in filter(None, listed):
        meta, _, path = row.partition(b"\t")
        mode, kind, blob = meta.decode().split()
        if kind == "blob" and mode.startswith("100"):
            blobs[path.decode(errors="surrogateescape").removeprefix(f"{prefix}/")] = blob
    return dict(zip(blobs, read_blobs(top, list(blobs.values())), strict=True))


def read_blobs(top: Path, blobs: list[str]) -> list[bytes]:
    """Contents of blobs by one ``cat-file --batch``: no checkout, no filters."""
    output = run_git(top, "cat-file", "--batch", data="".join(f"{blob}\n" for blob in blobs).encode()) if blobs else b""
    contents, at = [], 0
    for _ in blobs:
        end = output.index(b"\n", at)
        size = int(output[at:end].split()[2])
        contents.append(output[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return contents
