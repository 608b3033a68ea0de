"""A click that came to nothing on a busy machine is made again, and hides no fault of the page."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import ClassVar
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from mall.order.diagnostics_api import PAGE_FILES
from tests.e2e.browser import visit
from tests.e2e.test_quick_page import send

pytestmark = [pytest.mark.browser]
EVENT = UUID(int=7)
BUSY = {"error": "kafka_unavailable", "message": "No acknowledgement from kafka within 5 s.", "next": "treaty doctor"}
RECEIPT = {
    "time": "2026-03-01T12:00:00Z", "event_type": "TEST_EVENT", "key": "k", "event_id": str(EVENT),
    "topic": "order-events", "partition": 0, "offset": 1, "schema_id": 1,
}  # fmt: skip
COMPLAIN = "document.querySelector('#send').addEventListener('submit', () => console.error('broken'))"


class BusyOnce(BaseHTTPRequestHandler):
    """The page's own files, with a Kafka that does not acknowledge the first event."""

    posts: ClassVar[int] = 0

    def do_GET(self) -> None:  # the library's name
        name = self.path.rpartition("/")[2]
        name = "index.html" if name == "quick-test" else name
        if name in PAGE_FILES:
            content = (files("mall.order") / "quick_test" / name).read_bytes()
            self._answer(HTTPStatus.OK, content, type_=PAGE_FILES[name])
        else:
            self._tell(HTTPStatus.OK, {"state": "consumed", "milliseconds": 1})

    def do_POST(self) -> None:  # as above
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).posts += 1
        if self.posts == 1:
            self._tell(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)
        else:
            self._tell(HTTPStatus.OK, RECEIPT)

    def log_message(self, *_: object) -> None:
        """Nothing: the browser's requests are no news."""

    def _tell(self, status: HTTPStatus, answer: object) -> None:
        self._answer(status, json.dumps(answer).encode(), type_="application/json")

    def _answer(self, status: HTTPStatus, content: bytes, *, type_: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving() -> Iterator[str]:
    """The address of the page."""
    BusyOnce.posts = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), BusyOnce) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/quick-test"
        finally:
            server.shutdown()
            thread.join()


def test_a_try_that_kafka_was_too_slow_for_is_forgiven_and_what_else_the_page_complained_of_is_not(
    chromium: Browser,
) -> None:
    with serving() as address, visit(chromium, f"{address}#token=t", locale="en-GB") as seen:
        seen.page.evaluate(COMPLAIN)
        assert send(seen, note="again") == EVENT
        assert seen.faults == ["broken", "broken"]
