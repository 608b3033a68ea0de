"""The outermost ASGI layer: the path as it was sent, who asks, answers that are remembered, and how every answer is sent.

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

from fastapi import Response

from treaty.registry.cache import Lru
from treaty.registry.errors import HeadersTooLarge, RegistryError, StoreUnavailable, Unauthorized
from treaty.registry.guard.gate import Gate
from treaty.registry.http.answers import error_response, packed
from treaty.registry.observation import Answered, Observe, Remembered
from treaty.registry.stores.freshness import Freshness
from treaty.registry.wire.incoming import read_headers
from treaty.registry.wire.negotiation import answer_type
from treaty.registry.wire.paths import parsed_query, query_string, routed_path, without_context, without_root

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Answer: TypeAlias = Callable[[Scope, Receive], Awaitable[Response]]

ROUTE: Final = "treaty.route"
QUERY: Final = "treaty.query"
REQUEST_ID: Final = "treaty.request_id"
CACHE_KEY: Final = "treaty.cache_key"
VISITOR: Final = "treaty.visitor"
HEADERS: Final = "treaty.headers"

_BY_ID: Final = re.compile(r"/schemas/ids/\d{1,10}(/schema)?")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_EVERY_ANSWER: Final = [
    (b"cache-control", b"no-cache, no-store, must-revalidate"),
    (b"x-content-type-options", b"nosniff"),
]

Key: TypeAlias = tuple[str, ...]


class Remembering:
    """Ready responses by path, query and type. Thread-safe."""

    def __init__(self, freshness: Freshness, *, capacity_bytes: int) -> None:
        self._freshness = freshness
        self._held: Lru[Key, Response] = Lru(capacity_bytes, size_of=_size)
        self._epoch = freshness.epoch
        self._lock = threading.Lock()

    def get(self, key: Key) -> Response | None:
        """The response, if it is known to hold still."""
        if not self._freshness.is_current() or self._freshness.epoch != self._epoch:
            return None
        return self._held.get(key)

    def opened(self) -> int:
        """Call before reading what ``keep`` shall hold: the epoch it belongs to."""
        return self._freshness.epoch

    def keep(self, epoch: int, key: Key, response: Response) -> None:
        """Hold a response, unless something ended since ``opened``."""
        with self._lock:
            if epoch != self._freshness.epoch:
                return
            if epoch != self._epoch:
                self._held.clear()
                self._epoch = epoch
            self._held.put(key, response)

    def look(self) -> None:
        """Find out whether what is held still holds; blocks, so call it in a thread."""
        self._freshness.look()


class Door:
    """The application that servers call."""

    def __init__(
        self,
        answer: Answer,
        remembering: Remembering,
        gate: Gate,
        tell: Observe,
        *,
        lifespan: App,
        most_open: int,
        root_path: str = "",
    ) -> None:
        """``lifespan``: who is told of start and end; ``most_open``: requests at once; ``root_path``: what may stand before every path."""
        self._answered_by, self._remembering, self._gate, self._tell = answer, remembering, gate, tell
        self._lifespan = lifespan
        self._open, self._most_open, self._root_path = 0, most_open, root_path

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
        status = 500
        self._open += 1
        try:
            response = await self._answer(scope, headers, receive) if fault is None else _refusal(fault)
            status = response.status_code
            own, body = packed(response, headers.get(b"accept-encoding", b""))
            own += [*_EVERY_ANSWER, (b"x-request-id", scope[REQUEST_ID].encode())]
            await send({"type": "http.response.start", "status": status, "headers": own})
            await send({"type": "http.response.body", "body": body})
        finally:
            self._open -= 1
            seconds = time.perf_counter() - began
            self._tell(Answered(_method(scope), scope.get(ROUTE, "other"), status, seconds))

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Response:
        try:
            if self._open > self._most_open:
                raise StoreUnavailable
            routed = routed_path(scope.get("raw_path") or scope["path"].encode())
            path, query = without_context(
                without_root(routed, root_path=self._root_path), parsed_query(scope["query_string"])
            )
            scope["path"], scope[QUERY] = path, query
            visitor = await self._gate.admit(
                scope["method"], path, headers, source_ip=_source(scope), request_id=scope[REQUEST_ID]
            )
            scope[VISITOR] = visitor
            if scope["method"] == "GET" and _BY_ID.fullmatch(path):
                key = (visitor.principal.view, path, query_string(query).decode())
                content_type = answer_type(headers.get(b"accept", b"").decode("latin-1"))
                found = None if b"if-none-match" in headers else self._remembering.get((*key, content_type))
                self._tell(Remembered("answers", found is not None))
                if found is not None:
                    scope[ROUTE] = "/schemas/ids/{id}"
                    return found
                scope[CACHE_KEY] = key
        except RegistryError as error:
            return _refusal(error)
        return await self._answered_by(scope, receive)


def _refusal(error: RegistryError) -> Response:
    response = error_response(error, "8", "application/json")
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = 'Basic realm="treaty registry", charset="UTF-8"'
        response.headers.append("WWW-Authenticate", "Bearer")
    return response


def _size(key: Key, response: Response) -> int:
    # The key counts: its query is the client's, and may be longer than the answer.
    return len(response.body) + sum(map(len, key)) + 512


def _source(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _request_id(sent: bytes) -> str:
    text = sent.decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else os.urandom(16).hex()


def _method(scope: Scope) -> str:
    known = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
    return scope["method"] if scope["method"] in known else "other"
