"""Ports on loopback: free ones, and who holds a busy one."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from treaty.local.errors import PortBusy

LOOPBACK = "127.0.0.1"
FIRST, END, BLOCK = 10_000, 32_000, 100
"""Below what Linux (32768) and macOS (49152) give to outgoing connections: ``ip(7)``, ip_local_port_range."""
LISTEN = "0A"  # state column of /proc/net/tcp: include/net/tcp_states.h, TCP_LISTEN


def free_port() -> int:
    """A port that nobody listens on, and that no other process is given by this function while this one lives."""
    return _given(os.getpid()).port()  # a forked child must not go on where its parent is


@functools.cache
def _given(_: int) -> Given:
    return Given()


class Given:
    """Ports that are this process's alone.

    Between a port's choice and its use lie seconds, in which the kernel may give it to any outgoing connection or to another
    process that asks. So ports come from below the kernel's own range, in blocks; the first port of a block stays bound
    as long as the process lives, which tells the others that the block is taken.
    """

    def __init__(self) -> None:
        self._left: Iterator[int] = iter(())

    def port(self) -> int:
        """The next one, of a further block when the last is used up. Raises ``PortBusy`` when all blocks are taken."""
        while True:
            for port in self._left:
                if _is_free(port):
                    return port
            self._left = iter(self._claim())

    def _claim(self) -> range:
        beginnings = range(FIRST, END, BLOCK)
        start = os.getpid() % len(beginnings)
        for first in (*beginnings[start:], *beginnings[:start]):
            claim = socket.socket()
            try:
                claim.bind((LOOPBACK, first))
            except OSError:
                claim.close()
                continue
            claim.detach()  # open until the process ends, with no object whose end would close it
            return range(first + 1, first + BLOCK)
        raise PortBusy(
            f"No ports are left between {FIRST} and {END}.", next_step="end some of the stacks that run here"
        )


def _is_free(port: int) -> bool:
    try:
        _bind(port)
    except OSError:
        return False
    return True


def _bind(port: int) -> None:
    """Binds as a server does, with old connections still fading, and lets go. OSError when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))


def require_free(port: int, *, name: str, option: str) -> None:
    """Raises ``PortBusy``, naming the port, its holder if that can be known, and what to do."""
    try:
        _bind(port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        who = holder(port)
        by = f"held by {who}" if who else "held by another process"
        raise PortBusy(
            f"Port {port}, which {name} needs, is {by}.",
            next_step=f"end that process, or choose another port: {option}",
        ) from error


def holder(port: int) -> str | None:
    """``name (pid 123)`` of the process that listens on ``port``; None when the system does not tell."""
    if not Path("/proc/net/tcp").exists():
        return _holder_by_lsof(port)
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for folder in Path("/proc").glob("[0-9]*/fd"):
        if wanted & _open_files(folder):
            with contextlib.suppress(OSError):
                return f"{(folder.parent / 'comm').read_text().strip()} (pid {folder.parent.name})"
    return None


def _open_files(folder: Path) -> set[str]:
    """Targets of the links in /proc/<pid>/fd; files that are closed meanwhile and processes of others are left out."""
    found = set()
    with contextlib.suppress(OSError):
        for link in folder.iterdir():
            with contextlib.suppress(OSError):
                found.add(str(link.readlink()))
    return found


def _listening_inodes(port: int) -> set[str]:
    """Socket inodes in /proc/net/tcp and tcp6 (proc(5)): column 2 is address:port in hex, 4 the state, 10 the inode."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                column = line.split()
                if column[3] == LISTEN and int(column[1].rpartition(":")[2], 16) == port:
                    found.add(column[9])
    return found


def _holder_by_lsof(port: int) -> str | None:
    with contextlib.suppress(OSError):
        question = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]
        answer = subprocess.run(question, capture_output=True, text=True, check=False)  # noqa: S603  # a fixed question
        fields = {line[0]: line[1:] for line in answer.stdout.splitlines() if line}
        if {"p", "c"} <= fields.keys():
            return f"{fields['c']} (pid {fields['p']})"
    return None
