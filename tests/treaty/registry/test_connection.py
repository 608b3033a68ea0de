"""Connections that are kept without being used, and requests that never end: nobody has to say who they are to try."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from tests.treaty.registry.asking import asked
from treaty.registry.settings import Limits, RegistrySettings
from treaty.registry.testing import registry

HEAD = b"GET /subjects HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"GET /subjects HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def hasty() -> Iterator[str]:
    """A registry that waits for nobody long."""
    with registry(settings=RegistrySettings(limits=Limits(head_seconds=0.3))) as url:
        yield url


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """A connection that waits 90 seconds for whatever it waits for."""
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=90) as client:
        yield client


def until_closed(client: socket.socket) -> bytes:
    """All that the server says before it ends the connection; fails if it does not."""
    said = b""
    with suppress(ConnectionResetError):
        while got := client.recv(65_536):
            said += got
    return said


@pytest.mark.parametrize(
    "said",
    [b"", b"GET /sub", HEAD, b"\r\n", b"POST /subjects/s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX: "],
    ids=["nothing", "half a line", "half the headers", "an empty line", "half a header"],
)
def test_who_does_not_say_what_they_want_is_hung_up_on(hasty: str, said: bytes) -> None:
    with connected(hasty) as client:
        client.sendall(said)
        assert until_closed(client) == b""


def test_who_goes_quiet_within_a_second_request_is_hung_up_on(hasty: str) -> None:
    with connected(hasty) as client:
        client.sendall(HEAD + b"\r\n" + HEAD)
        assert until_closed(client).count(b"HTTP/1.1 200 OK") == 1


def test_who_takes_their_time_between_requests_is_served(hasty: str) -> None:
    with httpx.Client(base_url=hasty) as client:
        assert [client.get("/subjects").status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET /", b"a" * 65_536),
        (HEAD + b"X: ", b"a" * 65_536),
        (HEAD, b"X: " + b"a" * 1_000 + b"\r\n"),
        (CHUNKED + b"0\r\n", b"X: " + b"a" * 1_000 + b"\r\n"),
        (CHUNKED + b"0\r\nX: ", b"a" * 65_536),
        (CHUNKED, b"1;" + b"a" * 65_536 + b"\r\nx\r\n"),
    ],
    ids=["a line", "a header", "headers", "trailers", "a trailer", "extensions of chunks"],
)
def test_what_never_ends_is_not_taken_in(begin: bytes, piece: bytes) -> None:
    """A hundred megabytes are offered; the server ends it long before."""
    with registry() as url, connected(url) as client:
        sent = 0
        with suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(begin)
            while sent < 100_000_000:
                client.sendall(piece)
                sent += len(piece)
        assert sent < 50_000_000
        assert asked("GET", f"{url}/subjects").json() == []


def test_what_is_no_http_is_told_so_in_json() -> None:
    with registry() as url, connected(url) as client:
        client.sendall(b"HELO example.org\r\n\r\n")
        said = until_closed(client)
    assert said.startswith(b"HTTP/1.1 400 Bad Request")
    assert b'"error_code": 400' in said


def test_many_requests_in_one_piece_are_all_answered() -> None:
    body = b'{"schema": "\\"int\\""}' + b" " * 500
    request = b"POST /subjects/s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with registry() as url, connected(url) as client:
        client.sendall(request * 300)
        said = b""
        while said.count(b"HTTP/1.1 404") < 300:
            got = client.recv(65_536)
            assert got
            said += got


def test_a_body_in_the_smallest_chunks_is_a_body() -> None:
    body = b'{"schema": "\\"int\\"", "x": "%s"}' % (b"a" * 40_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    with registry() as url, connected(url) as client:
        client.sendall(b"POST /subjects/s/versions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.sendall(chunks + b"0\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
