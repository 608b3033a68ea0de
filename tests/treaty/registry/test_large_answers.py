"""Large answers: made beside the loop, sent as they are read, and given up on who does not read them."""

from __future__ import annotations

import asyncio
import gzip
import json
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asked
from treaty.registry.access.audit import Visitor
from treaty.registry.access.grants import ANYONE
from treaty.registry.http.answers import PIECE_BYTES, Answer, Wish, answer_of
from treaty.registry.http.app import gate_of
from treaty.registry.http.call import Reply, Route
from treaty.registry.http.desk import Desk
from treaty.registry.http.door import HEADERS, IS_PACKED, QUERY, REQUEST_ID, VISITOR, Remembering
from treaty.registry.http.hands import Hands
from treaty.registry.http.sending import WRITTEN_AHEAD, Held, Sending
from treaty.registry.http.watch import Watch
from treaty.registry.observation import ignore
from treaty.registry.service import RegistryService
from treaty.registry.settings import Limits, RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.testing import registry

PLAIN = {"Accept-Encoding": "identity"}
ROWS: list[dict[str, Any]] = [{"subject": f"s{n}", "schema": "ä" * (n * 997 % 9_000)} for n in range(500)]


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 64, 65, 500])
@pytest.mark.parametrize("is_packed", [False, True])
def test_an_answer_in_pieces_is_the_answer(count: int, *, is_packed: bool) -> None:
    rows = ROWS[:count]
    answer = answer_of(Reply(rows), Wish(is_packed=is_packed))
    body, headers = b"".join(answer.pieces), dict(answer.headers)
    assert int(headers[b"content-length"]) == len(body) == answer.size_bytes
    if headers.get(b"content-encoding") == b"gzip":
        assert is_packed
        body = gzip.decompress(body)
    assert body == json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
    assert all(0 < len(piece) <= PIECE_BYTES for piece in answer.pieces)
    assert (b"vary" in headers) == (len(body) >= 1_400)


class _Rows(list[dict[str, Any]]):
    """Rows that know who took them to make an answer of them."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        super().__init__(rows)
        self.taken_by: set[str] = set()

    def __getitem__(self, place: Any) -> Any:
        self.taken_by.add(threading.current_thread().name)
        return super().__getitem__(place)


def test_a_large_answer_is_made_in_a_thread_of_its_job() -> None:
    """Encoding and packing megabytes on the loop kept every other client waiting for a second."""
    rows, store, settings = _Rows(ROWS), MemoryStore(), RegistrySettings()
    service = RegistryService(store, settings=settings, now=now)
    hands = Hands(2, at_once=1)
    gate = gate_of(store, settings, now=now, now_ms=lambda: 0, observe=ignore)
    desk = Desk(
        (Route("GET", "/subjects", lambda _call: Reply(rows)),),
        service,
        hands,
        Remembering(service.freshness, capacity_bytes=1_000),
        gate,
        watch=Watch(),
        now_ms=lambda: 0,
        tell=ignore,
    )
    scope = {
        "method": "GET",
        "path": "/subjects",
        HEADERS: {},
        QUERY: (),
        REQUEST_ID: "r",
        IS_PACKED: True,
        VISITOR: Visitor(ANYONE, "127.0.0.1", "r"),
    }

    async def receive() -> dict[str, Any]:
        raise AssertionError("no body is asked for")

    answer = asyncio.run(desk.answer(scope, receive))
    hands.close()
    gate.close()
    assert answer.status == 200
    assert rows.taken_by
    assert all(name.startswith("registry-") for name in rows.taken_by)


def now() -> datetime:
    """Some time."""
    return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def full() -> MemoryStore:
    """A store whose list of schemas is larger than what kernels hold of a connection."""
    store = MemoryStore()
    schema = {"schema": json.dumps({"type": "enum", "name": "E", "symbols": ["A"], "doc": "x" * 480_000})}
    with registry(store) as url:
        for number in range(14):
            assert asked("POST", f"{url}/subjects/s{number}/versions", json=schema).is_success
    return store


@contextmanager
def serving(store: MemoryStore, limits: Limits) -> Iterator[tuple[str, int]]:
    """A registry on it, and the bytes of the list."""
    with registry(store, settings=RegistrySettings(limits=limits)) as url:
        size = len(asked("GET", f"{url}/schemas", headers=PLAIN).content)
        assert size > 6_700_000
        yield url, size


@contextmanager
def asking(url: str) -> Iterator[socket.socket]:
    """A client that has asked for the list and has not read of it, beyond what shows that it is on its way."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        parts = urlsplit(url)
        client.connect((parts.hostname, parts.port))
        client.sendall(b"GET /schemas HTTP/1.1\r\nHost: x\r\n\r\n")
        assert select.select([client], [], [], 90)[0]
        yield client


def is_cut_off(client: socket.socket) -> bool:
    """True when the server has reset the connection, though nothing was read."""
    poll = select.poll()
    poll.register(client, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


@pytest.mark.long
def test_a_client_that_never_reads_is_cut_off_and_keeps_nobody_waiting(full: MemoryStore) -> None:
    with serving(full, Limits(unread_seconds=1.0)) as (url, _), asking(url) as client:
        assert asked("GET", f"{url}/subjects").status_code == 200
        wait_until(lambda: is_cut_off(client))


@pytest.mark.long
def test_a_client_with_little_room_gets_the_whole_answer(full: MemoryStore) -> None:
    with serving(full, Limits()) as (url, size), asking(url) as client:
        head, _, body = client.recv(1_000).partition(b"\r\n\r\n")
        assert f"content-length: {size}".encode() in head
        received = len(body)
        while received < size:
            got = client.recv(16_384)
            assert got
            received += len(got)
    assert received == size


@pytest.mark.long
def test_large_answers_that_nobody_reads_are_no_more_than_a_bound(full: MemoryStore) -> None:
    with serving(full, Limits(unread_bytes=7_000_000)) as (url, size):
        with asking(url):
            refused = asked("GET", f"{url}/schemas", headers=PLAIN)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            assert "offset and limit" in refused.json()["message"]
            assert asked("GET", f"{url}/subjects").status_code == 200, "what is small goes through"
        wait_until(lambda: len(asked("GET", f"{url}/schemas", headers=PLAIN).content) == size)


@pytest.mark.long
def test_what_was_done_is_answered_however_many_answers_wait(full: MemoryStore) -> None:
    """It was answered 503 "try again", and stood."""
    schema = {"schema": json.dumps({"type": "enum", "name": "New", "symbols": ["A"], "doc": "y" * 480_000})}
    with serving(full, Limits(unread_bytes=7_000_000)) as (url, _), asking(url):
        registered = asked("POST", f"{url}/subjects/new/versions", json=schema, headers=PLAIN)
        assert registered.status_code == 200
        assert len(registered.content) > PIECE_BYTES, "no answer of one piece is ever refused"
        looked_up = asked("POST", f"{url}/subjects/new", json=schema, headers=PLAIN)
        assert looked_up.status_code == 503, "what changed nothing can be asked for again"


def test_one_answer_larger_than_the_bound_goes_out_alone() -> None:
    sending, large = Sending(most_bytes=10, seconds=90), Answer(200, [], (b"x" * 9, b"y" * 9))
    assert sending.takes(large, "a")
    seen: list[bool] = []

    async def send(_message: Any) -> None:
        seen.append(sending.takes(large, "b"))

    asyncio.run(sending.send(large, [], send, client="a", cut_off=int))
    assert not any(seen)
    assert sending.takes(large, "b")


def test_one_client_holds_a_share_and_leaves_the_rest_to_others() -> None:
    sending, large = Sending(most_bytes=100, seconds=90), Answer(200, [], (b"x" * 9, b"y" * 9))
    seen: list[tuple[bool, bool]] = []

    async def send(_message: Any) -> None:
        seen.append((sending.takes(large, "a"), sending.takes(large, "b")))

    asyncio.run(sending.send(large, [], send, client="a", cut_off=int))
    assert set(seen) == {(False, True)}
    assert sending.takes(large, "a")


def test_an_answer_that_goes_to_many_is_counted_once_and_each_connection_too() -> None:
    """A remembered answer is in memory once: counted for each client, it filled the room that others' answers need."""
    pieces = tuple(b"x" * PIECE_BYTES for _ in range(20))
    one, other = Answer(200, [], pieces), Answer(200, [], pieces)
    room = one.size_bytes + 4 * WRITTEN_AHEAD
    sending = Sending(most_bytes=room, seconds=90)

    async def ask() -> tuple[int, bool]:
        is_read, readers, takes_other = asyncio.Event(), list[asyncio.Task[None]](), False

        async def send(_message: Any) -> None:
            await is_read.wait()

        while sending.takes(one, f"client {len(readers)}") and len(readers) < 100:
            client = f"client {len(readers)}"
            readers.append(asyncio.create_task(sending.send(one, [], send, client=client, cut_off=int)))
            await asyncio.sleep(0)
            takes_other = takes_other or sending.takes(other, "another")
        is_read.set()
        await asyncio.gather(*readers)
        return len(readers), takes_other

    assert asyncio.run(ask()) == (4, False)
    assert sending.takes(other, "another"), "all is let go of"


def test_what_goes_to_one_client_several_times_is_counted_once_in_its_share() -> None:
    answer = Answer(200, [], tuple(b"x" * PIECE_BYTES for _ in range(20)))
    held = Held()
    held.add(answer)
    first = held.size_bytes
    held.add(answer)
    assert (first, held.size_bytes) == (answer.size_bytes + WRITTEN_AHEAD, answer.size_bytes + 2 * WRITTEN_AHEAD)
    held.remove(answer)
    assert held.size_bytes == first
    held.remove(answer)
    assert held.size_bytes == 0


def test_an_answer_that_is_read_steadily_and_too_slowly_is_cut_off() -> None:
    """Each piece that was read began the time anew: a few clients kept everyone out of large answers."""
    sending, large = Sending(most_bytes=100, seconds=0.05), Answer(200, [], (b"x", b"y"))

    async def ask() -> None:
        is_cut_off = asyncio.Event()

        async def send(_message: Any) -> None:
            await asyncio.sleep(0)  # it reads on, and on
            if _message.get("body") == b"y":
                await asyncio.wait_for(is_cut_off.wait(), 90)

        await sending.send(large, [], send, client="a", cut_off=is_cut_off.set)

    asyncio.run(ask())


@pytest.mark.long
def test_a_client_that_always_reads_a_little_is_cut_off_in_the_end(
    full: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treaty.registry.http.sending.LEAST_BYTES_A_SECOND", 1_000_000_000)
    with serving(full, Limits(unread_seconds=1.0)) as (url, size), asking(url) as client:
        received = 0

        def is_over() -> bool:
            nonlocal received
            try:
                received += len(client.recv(4_096))
            except ConnectionResetError:
                return True
            assert received < size, "it was never cut off"
            return False

        wait_until(is_over)
