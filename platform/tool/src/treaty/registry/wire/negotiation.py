"""Media types: what a request may be sent as, what it is answered as."""

from __future__ import annotations

from typing import Final

from treaty.registry.errors import NotAcceptable, UnsupportedMediaType

V1: Final = "application/vnd.schemaregistry.v1+json"
ANSWER_TYPES: Final = (V1, "application/vnd.schemaregistry+json", "application/json")
REQUEST_TYPES: Final = frozenset({*ANSWER_TYPES, "application/octet-stream"})

MOST_RANGES: Final = 100
"""Of a longer ``Accept`` the rest is not read: it is taken apart on the loop."""


def require_json(content_type: str | None) -> None:
    """Raise ``UnsupportedMediaType`` unless a body of this type is read as JSON; none counts as JSON."""
    if content_type and content_type.partition(";")[0].strip().lower() not in REQUEST_TYPES:
        raise UnsupportedMediaType


def answer_type(accept: str | None) -> str:
    """The best of our types that ``Accept`` allows; the first of them where it does not say. Raises ``NotAcceptable``.

    Source: RFC 9110, section 12.5.1; among equal weights the sender's order decides.
    """
    if not accept or not accept.strip():
        return V1
    ranges = sorted(map(_weighted, accept.split(",", MOST_RANGES)[:MOST_RANGES]), key=lambda pair: -pair[1])
    for wanted, weight in ranges:
        if weight <= 0:
            break
        match = next((ours for ours in ANSWER_TYPES if _allows(wanted, ours)), None)
        if match is not None:
            return match
    raise NotAcceptable


def takes_gzip(accept_encoding: str) -> bool:
    """True if ``Accept-Encoding`` names gzip and does not give it the weight 0."""
    if "gzip" not in accept_encoding.lower():
        return False
    weights = dict(map(_weighted, accept_encoding.split(",", MOST_RANGES)[:MOST_RANGES]))
    return weights.get("gzip", 0.0) > 0


def _weighted(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return media.lower(), float(value)
            except ValueError:
                return media.lower(), 0.0
    return media.lower(), 1.0


def _allows(wanted: str, ours: str) -> bool:
    return wanted in ("*/*", "application/*", ours)
