"""Answers on their way out: in pieces, each sent when the client has taken what went before.

Law: what waits for clients that do not read is bounded in bytes here and in time by the connection (``process.connection``).
An answer of one piece is not counted: there is at most one for each connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from treaty.registry.http.answers import Answer, Headers

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class Sending:
    """Sends answers; holds at most ``most_bytes`` of large ones at a time. For one loop."""

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes, self._held = most_bytes, 0

    def takes(self, answer: Answer) -> bool:
        """True if there is room for the answer beside those that clients have not read yet; one alone always has it."""
        return len(answer.pieces) <= 1 or not self._held or self._held + answer.size_bytes <= self._most_bytes

    async def send(self, answer: Answer, headers: Headers, send: Send) -> None:
        """Send it, as fast as the client reads."""
        start = {"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, *headers]}
        if len(answer.pieces) <= 1:
            await send(start)
            await send({"type": "http.response.body", "body": answer.pieces[0] if answer.pieces else b""})
            return
        size = answer.size_bytes
        self._held += size
        try:
            await send(start)
            for piece in answer.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._held -= size
