"""The site on loopback, from memory: what lies on disk is not read, so nothing else of it can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from treaty.errors import EnvironmentFault
from treaty.ops.catalogue.frame import POLICY

HOST: Final = "127.0.0.1"
_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


class SiteServer(ThreadingHTTPServer):
    """Serves the files of a site; ``port`` 0 is any free one. ``files`` may be replaced while it runs."""

    daemon_threads = True

    def __init__(self, files: Mapping[PurePosixPath, bytes], *, port: int) -> None:
        self.files = files
        try:
            super().__init__((HOST, port), _Answering)
        except OSError as error:
            raise EnvironmentFault(
                f"Port {port} is taken: {error.strerror}", next_step="choose another: --port"
            ) from error

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.server_address[1]}/"


class _Answering(BaseHTTPRequestHandler):
    server: SiteServer
    server_version = "treaty"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """The file, or 404."""
        self._answer(has_body=True)

    def do_HEAD(self) -> None:
        """The same without it."""
        self._answer(has_body=False)

    def _answer(self, *, has_body: bool) -> None:
        # A page of another origin must not read it under a name of its own that leads here.
        is_ours = self.headers.get("Host", "").rpartition(":")[0] in {HOST, "localhost"}
        asked = PurePosixPath(unquote(urlsplit(self.path).path).strip("/") or "index.html")
        found = self.server.files.get(asked)
        if found is None and is_ours and asked / "index.html" in self.server.files:
            place = urlsplit(self.path).path
            if not place.endswith("/"):
                self._lead_to(f"/{quote(str(asked))}/")
                return
            found = self.server.files[asked / "index.html"]
        data = found if is_ours and found is not None else b"There is no such page.\n"
        kind = _TYPES.get(asked.suffix, "text/html") if data is found else "text/plain"
        self.send_response(HTTPStatus.OK if data is found else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if has_body:
            self.wfile.write(data)

    def _lead_to(self, place: str) -> None:
        """The folder's own address: links of its page are relative to it."""
        self.send_response(HTTPStatus.PERMANENT_REDIRECT)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Says nothing: the command tells where the site is, and that is enough."""
