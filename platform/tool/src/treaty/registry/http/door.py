"""The outermost ASGI layer: the path as it was sent, who asks, and answers that are remembered.

Law: an answer by id never changes while its id stands, so it is sent again from memory, on the loop, without thread or
SQL. What could end an id (``freshness``) empties the memory.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from treaty.registry.cache import Lru
from treaty.registry.errors import AnswersUnread, HeadersTooLarge, RegistryError, StoreUnavailable, Unauthorized
from treaty.registry.guard.gate import Gate
from treaty.registry.http.answers import Answer, Wish, error_answer
from treaty.registry.http.sending import CONNECTION, Message, Send, Sending
from treaty.registry.observation import Answered, Observe, Remembered
from treaty.registry.settings import Limits
from treaty.registry.stores.freshness import Freshness
from treaty.registry.wire.incoming import read_headers
from treaty.registry.wire.negotiation import answer_type, takes_gzip
from treaty.registry.wire.paths import (
    parsed_query,
    query_string,
    require_short,
    routed_path,
    without_context,
    without_root,
)

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Answering: TypeAlias = Callable[[Scope, Receive], Awaitable[Answer]]

ROUTE: Final = "treaty.route"
QUERY: Final = "treaty.query"
REQUEST_ID: Final = "treaty.request_id"
CACHE_KEY: Final = "treaty.cache_key"
CHANGES: Final = "treaty.changes"
"""True once the request may have changed something: whatever it is answered is said."""

VISITOR: Final = "treaty.visitor"
HEADERS: Final = "treaty.headers"
IS_PACKED: Final = "treaty.is_packed"

_WATCHED: Final = frozenset({"/healthz", "/readyz", "/metrics", "/master_available"})
"""Answered however many requests are open: a process that is busy must not be taken for one that is dead."""

_BY_ID: Final = re.compile(r"/schemas/ids/\d{1,10}(/schema)?")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_EVERY_ANSWER: Final = [
    (b"cache-control", b"no-cache, no-store, must-revalidate"),
    (b"x-content-type-options", b"nosniff"),
]

_CHALLENGES: Final = [
    (b"www-authenticate", b'Basic realm="treaty registry", charset="UTF-8"'),
    (b"www-authenticate", b"Bearer"),
]

Key: TypeAlias = tuple[str, ...]


class Remembering:
    """Ready answers by path, query, type and encoding. Thread-safe."""

    def __init__(self, freshness: Freshness, *, capacity_bytes: int) -> None:
        self._freshness = freshness
        self._held: Lru[Key, Answer] = Lru(capacity_bytes, size_of=_size)
        self._epoch = freshness.epoch
        self._lock = threading.Lock()

    def get(self, key: Key) -> Answer | None:
        """The answer, if it is known to hold still."""
        if not self._freshness.is_current() or self._freshness.epoch != self._epoch:
            return None
        return self._held.get(key)

    def opened(self) -> int:
        """Call before reading what ``keep`` shall hold: the epoch it belongs to."""
        return self._freshness.epoch

    def keep(self, epoch: int, key: Key, answer: Answer) -> None:
        """Hold an answer, unless something ended since ``opened``."""
        with self._lock:
            if epoch != self._freshness.epoch:
                return
            if epoch != self._epoch:
                self._held.clear()
                self._epoch = epoch
            self._held.put(key, answer)

    def look(self) -> None:
        """Find out whether what is held still holds; blocks, so call it in a thread."""
        self._freshness.look()


class Door:
    """The application that servers call."""

    def __init__(
        self,
        answer: Answering,
        remembering: Remembering,
        gate: Gate,
        tell: Observe,
        *,
        lifespan: App,
        limits: Limits,
        root_path: str = "",
    ) -> None:
        """``lifespan``: who is told of start and end; ``limits``: of what is open at once and waits for its clients;
        ``root_path``: what may stand before every path."""
        self._answered_by, self._remembering, self._gate, self._tell = answer, remembering, gate, tell
        self._lifespan, self._sending = lifespan, Sending(most_bytes=limits.unread_bytes, seconds=limits.unread_seconds)
        self._open, self._most_open, self._root_path = 0, limits.open_requests, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._lifespan(scope, receive, send)
            return
        began = time.perf_counter()
        try:
            headers, fault = read_headers(scope["headers"]), None
        except HeadersTooLarge as error:
            headers, fault = {}, error
        scope[HEADERS] = headers
        scope[REQUEST_ID] = _request_id(headers.get(b"x-request-id", b""))
        scope[IS_PACKED] = takes_gzip(headers.get(b"accept-encoding", b"").decode("latin-1"))
        status = 500
        try:
            answer = _refusal(fault, scope) if fault is not None else await self._answer(scope, headers, receive)
            # What was done is never answered as if it had not been: only what changed nothing can be asked for again.
            if not scope.get(CHANGES) and not self._sending.takes(answer, _source(scope)):
                answer = _refusal(AnswersUnread(), scope)
            status = answer.status
            own = [*_EVERY_ANSWER, (b"x-request-id", scope[REQUEST_ID].encode())]
            await self._sending.send(answer, own, send, client=_source(scope), cut_off=_cut_off(scope))
        finally:
            seconds = time.perf_counter() - began
            self._tell(Answered(_method(scope), scope.get(ROUTE, "other"), status, seconds))

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        try:
            self._find_path(scope)
        except RegistryError as error:
            return _refusal(error, scope)
        if scope["path"] in _WATCHED:  # they keep nobody out either, however many ask
            return await self._admitted(scope, headers, receive)
        if self._open >= self._most_open:
            return _refusal(StoreUnavailable(), scope)
        self._open += 1
        try:
            return await self._admitted(scope, headers, receive)
        finally:
            # Whoever does not read what they are sent is no longer at work, and keeps nobody out.
            self._open -= 1

    def _find_path(self, scope: Scope) -> None:
        raw_path = scope.get("raw_path") or scope["path"].encode()
        require_short(raw_path, scope["query_string"])
        routed = routed_path(raw_path)
        path, query = without_context(
            without_root(routed, root_path=self._root_path), parsed_query(scope["query_string"])
        )
        scope["path"], scope[QUERY] = path, query

    async def _admitted(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        path, query = scope["path"], scope[QUERY]
        try:
            visitor = await self._gate.admit(
                scope["method"], path, headers, source_ip=_source(scope), request_id=scope[REQUEST_ID]
            )
            scope[VISITOR] = visitor
            if scope["method"] == "GET" and _BY_ID.fullmatch(path):
                key = (visitor.principal.view, path, query_string(query).decode())
                content_type = answer_type(headers.get(b"accept", b"").decode("latin-1"))
                ways = (*key, content_type, encoding_of(scope))
                found = None if b"if-none-match" in headers else self._remembering.get(ways)
                self._tell(Remembered("answers", found is not None))
                if found is not None:
                    scope[ROUTE] = "/schemas/ids/{id}"
                    return found
                scope[CACHE_KEY] = key
        except RegistryError as error:
            return _refusal(error, scope)
        return await self._answered_by(scope, receive)


def encoding_of(scope: Scope) -> str:
    """What a large answer to this request is encoded with, as part of the key under which it is remembered."""
    return "gzip" if scope[IS_PACKED] else ""


def _refusal(error: RegistryError, scope: Scope) -> Answer:
    answer = error_answer(error, "8", Wish(is_packed=scope[IS_PACKED]))
    if isinstance(error, Unauthorized):
        answer.headers.extend(_CHALLENGES)
    return answer


def _size(key: Key, answer: Answer) -> int:
    # The key counts: its query is the client's, and may be longer than the answer.
    return answer.size_bytes + sum(map(len, key)) + 512


def _cut_off(scope: Scope) -> Callable[[], object]:
    # A server that is not ours (an application in a test) has connections of its own.
    cut_off: Callable[[], object] = (scope.get("extensions") or {}).get(CONNECTION, {}).get("cut_off", int)
    return cut_off


def _source(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _request_id(sent: bytes) -> str:
    text = sent.decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else os.urandom(16).hex()


def _method(scope: Scope) -> str:
    known = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
    return scope["method"] if scope["method"] in known else "other"
