"""One conversation with a mail server, and the limit that ends it from outside.

Law: before the limit lets a mail be given the server has nothing, and afterwards it may have taken it, whatever it says. So a mail
whose time is over is not given any more.
"""

from __future__ import annotations

import re
import smtplib
import socket
import threading
from contextlib import closing, suppress
from dataclasses import dataclass

READY, DONE, FORWARDED, GO_ON = 220, 250, 251, 354
FAREWELL_SECONDS = 2.0
_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail with its envelope; lines of ``content`` end in CRLF."""

    sender: str
    to: str
    content: bytes


class Limit:
    """Lets another thread end a conversation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: smtplib.SMTP | None = None
        self._is_over = self._is_given = False

    def binds(self, server: smtplib.SMTP) -> None:
        """Whatever this one waits for is ended from now on."""
        self._server = server

    def require_time(self) -> None:
        """Raises TimeoutError if the time is over: what began before there was a connection could not be ended."""
        with self._lock:
            self._require_time()

    def let_give(self) -> None:
        """The point of no return; raises TimeoutError if the time is over."""
        with self._lock:
            self._require_time()
            self._is_given = True

    def end_unless_given(self) -> None:
        """Ends what waits for the server, unless the mail may be there by now."""
        with self._lock:
            if self._is_given:
                return
            self._is_over = True
        self.end()

    def end(self) -> None:
        """Ends what waits for the server."""
        connection = None if self._server is None else self._server.sock
        if connection is not None:
            with suppress(OSError):  # shut and not closed: a thread reads from it
                connection.shutdown(socket.SHUT_RDWR)

    def _require_time(self) -> None:
        if self._is_over:
            raise TimeoutError("The mail server took its time, and the mail was not sent.")


def converse(letter: Letter, *, host: str, port: int, seconds: float, answer_seconds: float, limit: Limit) -> None:
    """Hand over a mail; each answer may take ``seconds``, that of who was given the mail ``answer_seconds``.

    Raises `smtplib.SMTPResponseException` for an answer that is none to go on with, another `smtplib.SMTPException` or OSError for none.
    """
    with closing(smtplib.SMTP(timeout=seconds)) as server:
        limit.binds(server)
        # In two steps: a limit that ended before there was a socket to shut is asked before anything is waited for.
        server.sock = socket.create_connection((host, port), seconds)
        limit.require_time()
        _expect(server.getreply(), READY)
        server.ehlo_or_helo_if_needed()
        _expect(server.mail(letter.sender), DONE)
        _expect(server.rcpt(letter.to), DONE, FORWARDED)
        _expect(server.docmd("DATA"), GO_ON)
        limit.let_give()
        _wait_at_most(server, answer_seconds)
        server.send(_framed(letter.content))
        _expect(server.getreply(), DONE)
        # The server has the mail: a farewell that is lost or late is no reason to send it once more.
        _wait_at_most(server, FAREWELL_SECONDS)
        with suppress(OSError, smtplib.SMTPException):
            server.quit()


def _framed(content: bytes) -> bytes:
    """The content as it goes over the wire (RFC 5321, section 4.5.2): a line that is a dot ends it."""
    end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
    return _DOT.sub(b"..", content) + end


def _expect(answer: tuple[int, bytes], *wanted: int) -> None:
    if answer[0] not in wanted:
        raise smtplib.SMTPResponseException(*answer)


def _wait_at_most(server: smtplib.SMTP, seconds: float) -> None:
    if server.sock is not None:
        server.sock.settimeout(seconds)
