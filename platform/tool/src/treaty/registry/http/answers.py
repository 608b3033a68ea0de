"""From replies and errors to answers as they go over the wire.

Law: what is large is made in pieces, by a thread that the loop does not wait for. One call that encodes or compresses
megabytes holds the interpreter, and with it every other client.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from treaty.registry.errors import IncompatibleSchema, RegistryError
from treaty.registry.http.call import Reply
from treaty.registry.rows import Json
from treaty.registry.settings import WireProfile

GZIP_FROM_BYTES: Final = 1_400
PIECE_BYTES: Final = 65_536
"""As much as asyncio writes ahead of a client before it asks to wait."""

_ROWS_AT_ONCE: Final = 32
_GZIP_LEVEL: Final = 6
"""The highest one takes five times as long and saves a hundredth."""

_GZIP: Final = 31
_NO_BODY: Final = frozenset({204, 304})

Headers: TypeAlias = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Wish:
    """How a client wants its answer: the media type, and whether compressed."""

    content_type: str = "application/json"
    is_packed: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is sent; no piece of its body is longer than ``PIECE_BYTES``."""

    status: int
    headers: Headers
    pieces: tuple[bytes, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of the body."""
        return sum(map(len, self.pieces))


def answer_of(reply: Reply, wish: Wish, *, if_none_match: str | None = None) -> Answer:
    """The answer of a reply; 304 if the client has it already. Takes as long as the reply is large: call it in a thread."""
    tag = reply.headers.get("ETag")
    if tag is not None and if_none_match is not None and tag in map(str.strip, if_none_match.split(",")):
        return _answer((), 304, reply.headers, wish)
    if reply.status == 204:
        return _answer((), 204, {}, wish)
    body = _json(reply.value) if reply.text is None else iter((reply.text.encode(),))
    return _answer(body, reply.status, {**reply.headers, "Content-Type": reply.content_type or wish.content_type}, wish)


def error_answer(
    error: RegistryError,
    profile: WireProfile,
    wish: Wish,
    *,
    request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer of an error, in Confluent's shape; old clients know incompatibility as plain 409."""
    code = 409 if profile == "7" and isinstance(error, IncompatibleSchema) else error.code
    message = str(error) if request_id is None else f"{error} (request {request_id})"
    after = error.retry_after_seconds
    more = {} if after is None else {"Retry-After": str(after)}
    told = {**(headers or {}), **more, "Content-Type": wish.content_type}
    return _answer(_json({"error_code": code, "message": message}), error.status, told, wish)


def _answer(body: Iterable[bytes], status: int, headers: Mapping[str, str], wish: Wish) -> Answer:
    pieces = tuple(_cut(body))
    own = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
    if len(pieces) > 1 or (pieces and len(pieces[0]) >= GZIP_FROM_BYTES):
        own.append((b"vary", b"Accept-Encoding"))
        if wish.is_packed:
            own.append((b"content-encoding", b"gzip"))
            pieces = tuple(_cut(_gzipped(pieces)))
    if status not in _NO_BODY:
        own.append((b"content-length", b"%d" % sum(map(len, pieces))))
    return Answer(status, own, pieces)


def _json(value: Json) -> Iterator[bytes]:
    if not isinstance(value, list) or len(value) <= _ROWS_AT_ONCE:
        yield _encoded(value)
        return
    for at in range(0, len(value), _ROWS_AT_ONCE):
        yield (b"," if at else b"[") + _encoded(value[at : at + _ROWS_AT_ONCE])[1:-1]
    yield b"]"


def _encoded(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP)
    for chunk in chunks:
        yield packer.compress(chunk)
    yield packer.flush()


def _cut(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) > PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)
