"""Answers on their way out: in pieces, each sent when the client has taken what went before.

Laws: what waits for clients that do not read is bounded in bytes and in time, also where they read slowly and steadily; one
client has a share of it, and keeps nobody else out. What is counted is memory: an answer that goes to several at once is there
once, whoever asked, and each of its connections has some pieces of its own. An answer of one piece is not counted: there is at
most one for each connection, which bounds its time (``process.connection``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from treaty.registry.http.answers import PIECE_BYTES, Answer, Headers

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

CONNECTION: Final = "treaty.connection"
"""The extension of a request's scope whose ``cut_off`` ends the connection at once."""

SHARES: Final = 4
"""One client holds a part in so many of what may wait."""

LEAST_BYTES_A_SECOND: Final = 65_536

WRITTEN_AHEAD: Final = 2 * PIECE_BYTES
"""What a connection copies of an answer before it asks to wait: a full buffer, and the piece that made it too full."""


class Held:
    """Bytes of the answers that are on their way."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._ways: Counter[int] = Counter()

    def more_for(self, answer: Answer) -> int:
        """How many bytes more would be held with this one on one way more."""
        whole = 0 if id(answer) in self._ways else answer.size_bytes
        return whole + min(answer.size_bytes, WRITTEN_AHEAD)

    def add(self, answer: Answer) -> None:
        """It goes out one way more. Keep it alive until ``remove``: answers are told apart by what they are, not by what they say."""
        self.size_bytes += self.more_for(answer)
        self._ways[id(answer)] += 1

    def remove(self, answer: Answer) -> None:
        """One of its ways is over."""
        self._ways[id(answer)] -= 1
        if not self._ways[id(answer)]:
            del self._ways[id(answer)]
        self.size_bytes -= self.more_for(answer)


class Sending:
    """Sends answers; holds at most ``most_bytes`` of large ones at a time. For one loop."""

    def __init__(self, *, most_bytes: int, seconds: float) -> None:
        """``seconds``: an answer has so long, and one more for every ``LEAST_BYTES_A_SECOND`` of it."""
        self._most_bytes, self._seconds = most_bytes, seconds
        self._held, self._held_by = Held(), dict[str, Held]()

    def takes(self, answer: Answer, client: str) -> bool:
        """True if there is room for it beside those that clients have not read yet; one alone always has it."""
        if len(answer.pieces) <= 1 or not self._held.size_bytes:
            return True
        if self._held.size_bytes + self._held.more_for(answer) > self._most_bytes:
            return False
        own = self._held_by.get(client)
        return own is None or own.size_bytes + own.more_for(answer) <= self._most_bytes // SHARES

    async def send(
        self, answer: Answer, headers: Headers, send: Send, *, client: str, cut_off: Callable[[], object]
    ) -> None:
        """Send it, as fast as the client reads; ``cut_off`` is called when it has not read it in time."""
        start = {"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, *headers]}
        if len(answer.pieces) <= 1:
            await send(start)
            await send({"type": "http.response.body", "body": answer.pieces[0] if answer.pieces else b""})
            return
        own = self._held_by.setdefault(client, Held())
        self._held.add(answer)
        own.add(answer)
        seconds = self._seconds + answer.size_bytes / LEAST_BYTES_A_SECOND
        late = asyncio.get_running_loop().call_later(seconds, cut_off)
        try:
            await send(start)
            for piece in answer.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            late.cancel()
            self._held.remove(answer)
            own.remove(answer)
            if not own.size_bytes:
                del self._held_by[client]
