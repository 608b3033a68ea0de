"""Git, as a process that executes nothing of the repository: hooks, monitors, filters and prompts are off."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from treaty.errors import EnvironmentFault, UsageError

SAFE = ("-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null", "-c", "diff.external=", "-c", "protocol.allow=never")


def run_git(root: Path, *arguments: str, data: bytes | None = None) -> bytes:
    """Runs git in ``root`` and returns its output. Raises ``UsageError`` with git's words, ``EnvironmentFault`` without git."""
    program = shutil.which("git")
    if program is None:
        raise EnvironmentFault("git is not installed.", next_step="install git")
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    done = subprocess.run([program, *SAFE, *arguments], cwd=root, env=env, input=data, capture_output=True, check=False)  # noqa: S603
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"git: {words[-1] if words else 'failed'}")
    return done.stdout


def commit_of(root: Path, ref: str) -> str:
    """The full hash that ``ref`` names. A ref that looks like an option is one that does not exist."""
    try:
        found = run_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except UsageError as error:
        raise UsageError(
            f"git knows no commit `{ref}` here.",
            next_step="name a branch, tag or commit; in a shallow clone: git fetch --unshallow",
        ) from error
    return found.decode().strip()


def head(root: Path) -> str:
    """Hash of HEAD, with ``+dirty`` if a tracked file differs; empty outside a repository or before the first commit."""
    try:
        commit = commit_of(root, "HEAD")
        dirty = run_git(root, "status", "--porcelain", "--untracked-files=no")
    except UsageError:
        return ""
    return f"{commit}+dirty" if dirty else commit


def files_at(root: Path, ref: str, folder: Path) -> dict[str, bytes]:
    """Contents of all plain files below ``folder`` at ``ref``, by path relative to it; links and submodules are left out."""
    commit = commit_of(root, ref)
    top = Path(run_git(root, "rev-parse", "--show-toplevel").decode().strip())
    prefix = folder.resolve().relative_to(top.resolve()).as_posix()
    listed = run_git(top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", f"{prefix}/").split(b"\0")
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
