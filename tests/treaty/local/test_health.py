"""Asking a program over HTTP."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from treaty.local.health import ask

METRICS = b"# a service with many events and groups\n" * 10_000


class Service(BaseHTTPRequestHandler):
    """Answers what a large service's `/metrics` does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(METRICS)))
        self.end_headers()
        self.wfile.write(METRICS)

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""


def test_the_metrics_of_a_large_service_are_read_to_their_end() -> None:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        assert ask(server.server_port, "/metrics", timeout=60) == (200, METRICS)
        serving.join()
