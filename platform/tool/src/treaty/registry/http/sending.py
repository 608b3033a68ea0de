"""Answers on their way out: in pieces, each sent when the client has taken what went before.

Laws: what waits for clients that do not read is bounded in bytes and in time, also where they read slowly and steadily; one
client has a share of it, and keeps nobody else out. An answer of one piece is not counted: there is at most one for each
connection, which bounds its time (``process.connection``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from treaty.registry.http.answers import Answer, Headers

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

CONNECTION: Final = "treaty.connection"
"""The extension of a request's scope whose ``cut_off`` ends the connection at once."""

SHARES: Final = 4
"""One client holds a part in so many of what may wait."""

LEAST_BYTES_A_SECOND: Final = 65_536


class Sending:
    """Sends answers; holds at most ``most_bytes`` of large ones at a time. For one loop."""

    def __init__(self, *, most_bytes: int, seconds: float) -> None:
        """``seconds``: an answer has so long, and one more for every ``LEAST_BYTES_A_SECOND`` of it."""
        self._most_bytes, self._seconds = most_bytes, seconds
        self._held, self._held_by = 0, Counter[str]()

    def takes(self, answer: Answer, client: str) -> bool:
        """True if there is room for it beside those that clients have not read yet; one alone always has it."""
        size, own = answer.size_bytes, self._held_by[client]
        if len(answer.pieces) <= 1 or not self._held:
            return True
        return self._held + size <= self._most_bytes and (not own or own + size <= self._most_bytes // SHARES)

    async def send(
        self, answer: Answer, headers: Headers, send: Send, *, client: str, cut_off: Callable[[], object]
    ) -> None:
        """Send it, as fast as the client reads; ``cut_off`` is called when it has not read it in time."""
        start = {"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, *headers]}
        if len(answer.pieces) <= 1:
            await send(start)
            await send({"type": "http.response.body", "body": answer.pieces[0] if answer.pieces else b""})
            return
        size = answer.size_bytes
        self._held += size
        self._held_by[client] += size
        late = asyncio.get_running_loop().call_later(self._seconds + size / LEAST_BYTES_A_SECOND, cut_off)
        try:
            await send(start)
            for piece in answer.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            late.cancel()
            self._held -= size
            self._held_by[client] -= size
            if not self._held_by[client]:
                del self._held_by[client]
