"""A file of SQLite's lies on a disk of this machine: over a network its locks do not hold, and two writers destroy it.

Source: SQLite, "How To Corrupt An SQLite Database File", section 2.1.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from treaty.registry.errors import StartRefused

MOUNTS: Final = Path("/proc/self/mounts")
"""Where Linux says what is mounted; elsewhere nobody is asked."""

NETWORKS: Final = frozenset(
    {
        "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs",
        "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs",
    }
)  # fmt: skip
"""Kinds of file systems that lie on other machines."""


def require_own_disk(file: Path) -> None:
    """Raise ``StartRefused`` if the file would lie on a network file system."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    kind = kind_of(file.resolve(), mounts)
    if kind in NETWORKS:
        raise StartRefused(
            f"{file} lies on a network file system ({kind}), where SQLite's locks do not hold. "
            "Keep the file on a disk of this machine, or use PostgreSQL.",
            exit_code=2,
        )


def kind_of(file: Path, mounts: str) -> str:
    """The kind of file system that an absolute path lies on, by Linux's table of mounts; "" if none is named."""
    found, kind = -1, ""
    for line in mounts.splitlines():
        _, place, named, *_ = [*line.split(" "), "", "", ""]
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), place))
        # The last of several at one place hides the others.
        if place and file.is_relative_to(point) and len(point.parts) >= found:
            found, kind = len(point.parts), named
    return kind
