"""Ports on loopback: free ones, and who holds a busy one."""

from __future__ import annotations

import contextlib
import errno
import socket
import subprocess
from pathlib import Path

from treaty.local.errors import PortBusy

LOOPBACK = "127.0.0.1"
LISTEN = "0A"  # state column of /proc/net/tcp: include/net/tcp_states.h, TCP_LISTEN


def free_ports(count: int) -> list[int]:
    """``count`` different ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def free_port() -> int:
    """A port that nobody listens on now."""
    return free_ports(1)[0]


def require_free(port: int, *, name: str, option: str) -> None:
    """Raises ``PortBusy``, naming the port, its holder if that can be known, and what to do."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
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
