"""The socket a server listens on."""

from __future__ import annotations

import socket


def listen(host: str, port: int) -> socket.socket:
    """A TCP socket that listens on ``host``; port 0: any free one. Raises ``OSError``.

    It is made with TCP_NODELAY, which accepted connections inherit: asyncio sets the option only on sockets that name their
    protocol, and without it every answer waits 40 ms for the client's delayed acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=2048)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
