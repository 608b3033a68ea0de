"""A server of the standard library that writes one row for each request: what the machine itself does to an answer at that moment.

It holds one row and no connection, so that it is the same after an hour. Run: ``python -m tests.reliability.plain_server PORT FILE``.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def serve(port: int, file: Path) -> None:
    """Answers until it is killed."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY, times INTEGER)")
        connection.execute("INSERT INTO seen VALUES (1, 0) ON CONFLICT DO NOTHING")

    class Plain(BaseHTTPRequestHandler):
        """One row, one short answer."""

        def do_GET(self) -> None:
            """Writes, then answers."""
            with closing(sqlite3.connect(file, timeout=60)) as connection, connection:
                connection.execute("UPDATE seen SET times = times + 1")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    HTTPServer(("127.0.0.1", port), Plain).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
