"""How to run a program that refuses to run as root, such as postgres, when we are root (a container, a build machine).

First choice: a user namespace in which our uid is called 1000 and still owns its files: no user is added, nothing is copied,
nothing changes its owner. Where the system forbids namespaces: as ``nobody``, from a copy of the programs that nobody can read.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
PAUSES = (0.05, 0.2, 0.5, 1.0)
"""Seconds between tries: on a busy machine the kernel refuses a namespace for a moment now and then."""
CLONE_NEWUSER = 0x10000000  # linux/sched.h; os.unshare needs Python 3.12
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprivileged:
    """How to start: programs from ``folder``, ``enter`` in the forked child, as ``user``."""

    folder: Path
    enter: Callable[[], None] | None = None
    user: int | None = None


@functools.cache
def unprivileged(folder: Path, *, program: str) -> Unprivileged:
    """The way that works here for the programs in ``folder``; ``program`` is tried with ``--version``.

    The same answer for the whole process: data that one user has made cannot be read by the other.
    """
    if os.geteuid() != 0:
        return Unprivileged(folder=folder)
    inside = Unprivileged(folder=folder, enter=enter_namespace)
    if LIBC is not None and runs(folder / program, inside):
        return inside
    if runs(folder / program, Unprivileged(folder=folder, user=NOBODY)):
        return Unprivileged(folder=folder, user=NOBODY)
    return Unprivileged(folder=readable_copy(folder, program), user=NOBODY)


def runs(program: Path, way: Unprivileged) -> bool:
    """Whether the program starts at all this way."""
    try:
        answer = subprocess.run(  # noqa: S603  # a path that we looked up; enter only calls unshare and writes /proc
            [str(program), "--version"], capture_output=True, cwd="/", check=False, preexec_fn=way.enter,
            user=way.user, group=way.user, extra_groups=None if way.user is None else [],
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.returncode == 0


def enter_namespace() -> None:
    """In the forked child: a new user namespace that maps our uid and gid to 1000 (user_namespaces(7))."""
    assert LIBC is not None  # noqa: S101  # chosen on Linux only
    uid, gid = os.geteuid(), os.getegid()
    for pause in (*PAUSES, None):
        if LIBC.unshare(CLONE_NEWUSER) == 0:
            break
        if pause is None:
            raise OSError(ctypes.get_errno(), "unshare")
        time.sleep(pause)
    for name, line in (("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"), ("gid_map", f"1000 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(line)


def readable_copy(folder: Path, program: str) -> Path:
    """The programs' tree in a folder that everybody can read, with the wheel's libraries at the same relative place."""
    tree = folder.parent
    home = Path(tempfile.gettempdir()) / f"treaty-{program}-{os.geteuid()}"
    copy = home / tree.parent.name / tree.name
    if not (copy / "bin" / program).exists():
        home.mkdir(mode=0o755, exist_ok=True)
        # Everybody may write beside it, and a link leads wherever its owner wants.
        if home.is_symlink() or home.stat().st_uid != os.geteuid():
            raise PermissionError(f"{home} belongs to somebody else")
        shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"), dirs_exist_ok=True)
        libraries = tree.parent.with_name(f"{tree.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, home / libraries.name, dirs_exist_ok=True)
    for part in (home, copy.parent):
        part.chmod(0o755)
    return copy / "bin"
