"""From the path on the wire to the path that is routed, without losing what a subject's name is made of.

Laws: servers decode ``%2F`` before routing, so a subject ``a/b`` would become two segments; we route on a path in which
``%2F`` and ``%25`` still stand, and decode those two in the one place that reads a segment. ``/contexts/X/...`` is only
another spelling and is rewritten here, so no route knows of it.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode

from treaty.registry.errors import AddressTooLong, ContextHasColon

ADDRESS_BYTES: Final = 8_192
"""Path and query together: both are taken apart on the loop, before anybody has said who they are. Source: RFC 9110, section
4.1, would have 8,000 at least."""

_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_KEPT: Final = re.compile(r"%(2F|25)")
_KEPT_BYTES: Final = (0x2F, 0x25)

Query = tuple[tuple[str, str], ...]


def require_short(raw_path: bytes, query: bytes) -> None:
    """Raise ``AddressTooLong`` unless path and query are short enough to be looked at."""
    if len(raw_path) + len(query) > ADDRESS_BYTES:
        raise AddressTooLong(ADDRESS_BYTES)


def routed_path(raw_path: bytes) -> str:
    """The path to route on: decoded but for ``%2F`` and ``%25`` (upper case), without trailing slashes."""

    def decode(match: re.Match[bytes]) -> bytes:
        byte = int(match[1], 16)
        return b"%" + match[1].upper() if byte in _KEPT_BYTES else bytes([byte])

    text = _ESCAPE.sub(decode, raw_path).decode("utf-8", "replace")
    return text.rstrip("/") or "/"


def without_root(path: str, *, root_path: str) -> str:
    """The path without what a proxy leaves before it; one that a proxy has taken it off already comes back as it is."""
    if path == root_path or (root_path and path.startswith(f"{root_path}/")):
        return path[len(root_path) :] or "/"
    return path


def segment_text(segment: str) -> str:
    """What one segment of a routed path says."""
    return _KEPT.sub(lambda match: "/" if match[1] == "2F" else "%", segment)


def parsed_query(query_string: bytes) -> Query:
    """The query's pairs in order, values decoded once."""
    if not query_string:
        return ()
    return tuple(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))


def without_context(path: str, query: Query) -> tuple[str, Query]:
    """Rewrite ``/contexts/X/...`` into the names that stand for it; other paths come back as they are.

    Raises ``ContextHasColon``. Source: confluentinc/schema-registry, ``ContextFilter``.
    """
    parts = path.split("/")
    if len(parts) < 4 or parts[1] != "contexts":
        return path, query
    sent, rest = parts[2], parts[3:]
    if sent.startswith(":.") and sent.endswith(":"):
        sent = sent[1:-1]
    if ":" in segment_text(sent):
        raise ContextHasColon(segment_text(parts[2]))
    return _rewritten(rest, query, f":.{sent.removeprefix('.')}:")


def _rewritten(rest: list[str], query: Query, prefix: str) -> tuple[str, Query]:
    # In the path the context stays as it was sent: what is decoded here would be decoded a second time, or cut at a slash.
    places = {"subjects": 1, "config": 1, "mode": 1, "compatibility": 2}
    head = rest[0]
    if head in ("config", "mode") and len(rest) == 1:
        rest = [head, prefix]
    elif head in ("subjects", "schemas") and len(rest) == 1:
        query = _prefixed(query, "subjectPrefix", segment_text(prefix))
    elif rest[:2] == ["schemas", "ids"]:
        query = _prefixed(query, "subject", segment_text(prefix))
    elif head in places and len(rest) > places[head]:
        place = places[head]
        rest = [*rest[:place], _qualified(rest[place], prefix), *rest[place + 1 :]]
    return "/" + "/".join(rest), query


def _qualified(text: str, prefix: str) -> str:
    return text if text.startswith((":.", ":*:")) else prefix + text


def _prefixed(query: Query, key: str, prefix: str) -> Query:
    given = next((value for name, value in query if name == key), "")
    return (*((name, value) for name, value in query if name != key), (key, _qualified(given, prefix)))


def query_string(query: Query) -> bytes:
    """The wire form of a query."""
    return urlencode(query).encode("latin-1")
