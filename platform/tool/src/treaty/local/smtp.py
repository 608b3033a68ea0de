"""A mail server that delivers nothing: each message becomes an ``.eml`` file, and a list of them is served as JSON.

``python -m treaty.local.smtp --smtp-port 40125 --http-port 40025 --folder F``; ``GET /messages``, ``/messages/<name>``, ``/readyz``.
"""

from __future__ import annotations

import argparse
import email.policy
import json
import signal
import threading
from dataclasses import asdict, dataclass
from email.parser import BytesHeaderParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller

from treaty.local.ports import LOOPBACK

MESSAGE_BYTES = 10 * 1024 * 1024
READY_SECONDS = 60.0
"""aiosmtpd gives its own thread five, which a busy machine may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One received message. ``recipients`` are the envelope's: who would really have got it."""

    name: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str


class MailFolder:
    """The messages in a folder, oldest first; names are numbers, so that order is the order of arrival."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Stores one message whole or not at all; its name."""
        envelope = f"X-Envelope-From: {sender}\r\nX-Envelope-To: {', '.join(recipients)}\r\n".encode("utf-8", "replace")
        with self._lock:
            name = f"{len(self.names()) + 1:06}.eml"
            draft = self._folder / f"{name}.part"
            draft.write_bytes(envelope + content)
            draft.rename(self._folder / name)
        return name

    def names(self) -> list[str]:
        """Names of all messages, oldest first."""
        return sorted(path.name for path in self._folder.glob("*.eml"))

    def read(self, name: str) -> bytes | None:
        """One message as it came; None if there is none of that name."""
        return (self._folder / name).read_bytes() if name in self.names() else None

    def mails(self) -> list[Mail]:
        """All messages."""
        return [self._mail(name) for name in self.names()]

    def _mail(self, name: str) -> Mail:
        with (self._folder / name).open("rb") as file:  # its head alone: there may be thousands
            message = BytesHeaderParser(policy=email.policy.default).parse(file)
        recipients = str(message["X-Envelope-To"] or "").split(", ")
        head = {key: str(message[key] or "").strip() for key in ("X-Envelope-From", "Subject", "Message-ID")}
        return Mail(
            name=name,
            sender=head["X-Envelope-From"],
            recipients=tuple(recipients),
            subject=head["Subject"],
            message_id=head["Message-ID"],
        )


class MailSink:
    """The SMTP side (aiosmtpd in its own thread) and the HTTP side; a context manager, so that both end together."""

    def __init__(self, folder: Path, *, smtp_port: int, http_port: int) -> None:
        self.folder = MailFolder(folder)
        self.smtp_port = smtp_port
        self._controller = Controller(
            self, hostname=LOOPBACK, port=smtp_port, data_size_limit=MESSAGE_BYTES, ready_timeout=READY_SECONDS
        )
        self._http = ThreadingHTTPServer((LOOPBACK, http_port), listing(self.folder))
        self.http_port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, name="mail-http", daemon=True)

    def __enter__(self) -> Self:
        self._controller.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name for it
        """Called by aiosmtpd for each message."""
        name = self.folder.add(
            str(envelope.mail_from), [str(one) for one in envelope.rcpt_tos], bytes(envelope.content)
        )
        return f"250 kept as {name}"


def listing(folder: MailFolder) -> type[BaseHTTPRequestHandler]:
    """The handler class of the HTTP side."""

    class Listing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/readyz":
                self._send(200, b'{"status": "ok"}\n')
            elif path == "/messages":
                self._send(200, json.dumps([asdict(mail) for mail in folder.mails()], ensure_ascii=False).encode())
            elif (content := folder.read(path.removeprefix("/messages/"))) is not None:
                self._send(200, content, kind="text/plain; charset=utf-8")
            else:
                self._send(404, b'{"error": "not_found", "next": "GET /messages"}\n')

        def _send(self, status: int, body: bytes, *, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name for it
            """Requests are not worth a line."""

    return Listing


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="A mail server that delivers nothing.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before the threads begin: they inherit it
    with MailSink(options.folder, smtp_port=options.smtp_port, http_port=options.http_port):
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
