"""Headers as an outbox row keeps them: JSON text, readable in the table and by other relays."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from treaty_runtime.event import Event, Headers, published_text

WRITER = "treaty-writer"
"""Only in rows, never on a topic: which schema text wrote a payload whose id was unknown at staging.

A program that was updated between staging and relaying has another text under the same name; its id would be wrong.
"""

_UNREAD = "The headers of an outbox row are a JSON object of texts, and nothing else: these are not."

_read_texts: Callable[[str], dict[str, bytes]] = TypeAdapter(dict[str, bytes]).validator.validate_json
"""A relay reads a dozen headers for each row, and nearly all are texts: parser, check and bytes in one cost half of the three."""


def writer_of(event: Event | type[Event]) -> bytes:
    """SHA-256 of a class's published schema text, as hexadecimal digits."""
    text = published_text(event if isinstance(event, type) else type(event))
    return hashlib.sha256(text.encode()).hexdigest().encode()


def dump_headers(headers: Headers) -> str:
    """Headers as a JSON object of texts; a value that is not UTF-8 becomes `{"base64": …}`."""
    return json.dumps({name: _dump(value) for name, value in headers}, ensure_ascii=False)


def load_headers(text: str) -> dict[str, bytes]:
    """What `dump_headers` wrote, in the same order; ``ValueError`` for any other text."""
    try:
        return _read_texts(text)
    except ValidationError:
        return _read_any(text)


def _read_any(text: str) -> dict[str, bytes]:
    try:
        headers = {name: _load(value) for name, value in json.loads(text).items()}
        "".join(headers).encode()  # JSON can name what is no text
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(_UNREAD) from error
    return headers


def _load(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else b64decode(value["base64"])


def _dump(value: bytes) -> str | dict[str, str]:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\x00"
    # PostgreSQL refuses a zero character even where it is only escaped, once the text is read as json.
    return text if "\x00" not in text else {"base64": b64encode(value).decode()}
