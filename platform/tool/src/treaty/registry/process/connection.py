"""A client's connection, which ends when the client keeps it without using it.

Laws: what waits to be sent is taken within a time, or the connection is cut off, however little waits. A request's line and
headers are whole within a time, and are not taken in beyond a size: nobody has said who they are before they are whole. What
is refused here is answered only where no other answer is on its way.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from http import HTTPStatus
from typing import ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from treaty.registry.http.sending import CONNECTION
from treaty.registry.settings import Limits
from treaty.registry.wire.incoming import HEADER_BYTES

_AT_ONCE: Final = struct.pack("ii", 1, 0)
_BESIDE_BODY: Final = 8
"""Chunked bodies may have so many bytes of sizes and ends of lines for each of their own."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with bounds."""

    limits: ClassVar[Limits] = Limits()

    _unread: asyncio.TimerHandle | None = None
    _unused: asyncio.TimerHandle | None = None
    _is_head_open, _is_first_look = False, False
    _beside, _body = 0, 0
    _answered, _answered_before = 0, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Somebody is there, and has a time to say what they want."""
        super().connection_made(transport)
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        super().connection_lost(exc)
        self._forget_unread()
        self._forget_unused()

    def data_received(self, data: bytes) -> None:
        """Some of a request, or of several."""
        body = self._body
        super().data_received(data)
        if self.transport.is_closing():
            return
        # What a message shares its first piece with is not its own; later pieces are, as long as it lasts.
        self._beside = 0 if self._is_first_look else self._beside + len(data) - (self._body - body)
        self._is_first_look = False
        if self._beside > 2 * HEADER_BYTES + _BESIDE_BODY * self._body:  # what is less the application refuses by name
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's headers are too large.")
        elif self._is_head_open or not self._is_answering:
            self._expect_request()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"cut_off": self._cut_off}}
        self._is_head_open = self._is_first_look = True
        self._body = 0

    def on_headers_complete(self) -> None:
        """Its headers are whole."""
        self._is_head_open = False
        self._forget_unused()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of its body."""
        self._body += len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        """All of an answer is written; the last of it may wait for the client."""
        self._answered += 1
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._expect_reader()

    def pause_writing(self) -> None:
        """More waits than is written ahead of a client."""
        super().pause_writing()
        self._forget_unread()
        self._unread = self.loop.call_later(self.limits.unread_seconds, self._cut_off)

    def resume_writing(self) -> None:
        """The client has read on."""
        super().resume_writing()
        self._forget_unread()
        if self.transport.get_write_buffer_size():
            self._expect_reader()

    def send_400_response(self, msg: str) -> None:
        """What was sent is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    @property
    def _is_answering(self) -> bool:
        # There is no cycle before the first request.
        return not getattr(self.cycle, "response_complete", True)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        if self._is_answering:
            self._cut_off()  # after half of an answer this one would be read as the rest of it
            return
        body = json.dumps({"error_code": status.value, "message": message}).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        self.transport.close()
        self._expect_reader()

    def _expect_reader(self) -> None:
        if self._unread is None:
            self._answered_before = self._answered
            self._unread = self.loop.call_later(self.limits.unread_seconds, self._look_for_reader)

    def _look_for_reader(self) -> None:
        self._unread = None
        if self.transport.get_write_buffer_size():
            if self._answered == self._answered_before:
                self._cut_off()
            else:
                self._expect_reader()

    def _expect_request(self) -> None:
        if self._unused is None:
            self._unused = self.loop.call_later(self.limits.head_seconds, self._look_for_request)

    def _look_for_request(self) -> None:
        self._unused = None
        if self._is_answering:
            self._expect_request()  # the answer to the request before is on its way
        else:
            self.transport.close()
            self._expect_reader()

    def _cut_off(self) -> None:
        # Without this the kernel would go on offering what it has of the answer, for as long as the client likes.
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _forget_unused(self) -> None:
        if self._unused is not None:
            self._unused.cancel()
            self._unused = None


def connection_of(limits: Limits) -> type[Connection]:
    """The class of a server's connections under these limits."""
    return type("LimitedConnection", (Connection,), {"limits": limits})
