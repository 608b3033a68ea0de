"""Reading a request's headers and body: never more than the limit, whatever is sent and however it is packed."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Collection
from typing import Final, NoReturn

from treaty.registry.errors import (
    BodyTooLarge,
    EmptyBody,
    HeadersTooLarge,
    InvalidBody,
    MalformedJson,
    UnsupportedMediaType,
)
from treaty.registry.rows import Json

MAX_NESTING: Final = 400
HEADER_BYTES: Final = 65_536
"""Names and values of all headers of a request together: some are read on the loop, before anybody has said who they are."""

_GZIP: Final = 31
_LISTS: Final = frozenset({b"accept", b"accept-encoding", b"if-none-match"})
_DRAINED_BODIES: Final = 16


def read_headers(lines: Collection[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Each header's value by its name in lower case, the lines of a list joined (RFC 9110, section 5.3); raises ``HeadersTooLarge``."""
    if sum(len(name) + len(value) for name, value in lines) > HEADER_BYTES:
        raise HeadersTooLarge(HEADER_BYTES)
    headers = dict(lines)
    if len(headers) < len(lines):
        for header in _LISTS & headers.keys():
            headers[header] = b",".join(value for name, value in lines if name == header)
    return headers


async def read_body(chunks: AsyncIterator[bytes], *, encoding: str | None, limit: int) -> bytes:
    """The unpacked body, at most ``limit`` bytes; raises ``BodyTooLarge``, ``UnsupportedMediaType``, ``InvalidBody``.

    A body that is too large is still received (up to 16 times the limit) and thrown away, so that a client that sends
    first and reads later gets its answer instead of a broken connection.
    """
    inflater = _inflater(encoding)
    body, received, is_over = bytearray(), 0, False
    async for chunk in chunks:
        received += len(chunk)
        if not is_over:
            body += chunk if inflater is None else _inflated(inflater, chunk, limit + 1 - len(body))
            is_over = len(body) > limit
        if is_over:
            body.clear()
        if received > _DRAINED_BODIES * limit:
            break
    if is_over:
        raise BodyTooLarge(limit)
    if inflater is not None and received and not inflater.eof:
        raise InvalidBody("the gzip data ends early")
    return bytes(body)


def json_of(body: bytes) -> Json:
    """The value of a JSON body; raises ``EmptyBody``, ``MalformedJson`` with line and column, ``InvalidBody``."""
    if not body.strip():
        raise EmptyBody
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJson(*_place(body[: error.start].decode("utf-8"))) from error
    if text.count("[") + text.count("{") > MAX_NESTING:
        _require_shallow(text)

    def refuse(constant: str) -> NoReturn:
        raise MalformedJson(*_place(text[: text.index(constant)]))

    try:
        value = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise MalformedJson(error.lineno, error.colno) from error
    except ValueError as error:  # an integer of more digits than Python converts
        raise InvalidBody("a number has too many digits") from error
    if "\\u" in text:
        _require_no_lone_surrogate(value)
    return value


def _inflater(encoding: str | None) -> zlib._Decompress | None:
    if encoding in (None, "", "identity"):
        return None
    if encoding != "gzip":
        raise UnsupportedMediaType
    return zlib.decompressobj(_GZIP)


def _inflated(inflater: zlib._Decompress, chunk: bytes, most: int) -> bytes:
    try:
        unpacked = inflater.decompress(chunk, most)
    except zlib.error as error:
        raise InvalidBody("it is not gzip data, though Content-Encoding says so") from error
    if inflater.unused_data:  # zlib keeps all that follows the end, each chunk in a copy of what it has
        raise InvalidBody("something follows the gzip data")
    return unpacked


def _place(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _require_shallow(text: str) -> None:
    depth, is_text, skip = 0, False, False
    for char in text:
        if skip:
            skip = False
        elif is_text:
            skip, is_text = char == "\\", char != '"'
        elif char == '"':
            is_text = True
        elif char in "[{":
            depth += 1
            if depth > MAX_NESTING:
                raise InvalidBody(f"it is nested deeper than {MAX_NESTING} levels")
        elif char in "]}":
            depth -= 1


def _require_no_lone_surrogate(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidBody("a string holds half of a surrogate pair") from error
