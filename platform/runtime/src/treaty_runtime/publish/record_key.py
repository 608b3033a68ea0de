"""Which key a record gets: records of one key stay in order, from the outbox row to the handler."""

from __future__ import annotations

from uuid import UUID

from treaty_runtime.errors import InvalidKey
from treaty_runtime.event import Event

MAX_KEY_BYTES = 512


def key_of(event: Event, *, given: str | None = None) -> str | None:
    """The key to use: the given one, else the event's own `__key__()`; None if it declares none.

    Raises InvalidKey unless the key has 1 to 512 bytes of UTF-8 without a zero character, which PostgreSQL cannot store.
    """
    own = getattr(event, "__key__", None)
    key = given if given is not None else own() if own is not None else None
    if key is None:
        return None
    try:
        size = len(key) if key.isascii() else len(key.encode())
    except UnicodeEncodeError:
        raise InvalidKey(f"The key of {event.__avro_fullname__} is no Unicode text: {key[:80]!r}.") from None
    if not 1 <= size <= MAX_KEY_BYTES or "\x00" in key:
        raise InvalidKey(
            f"The key of {event.__avro_fullname__} has {size} bytes; a record key has 1 to {MAX_KEY_BYTES}, none of them zero."
        )
    return key


def diagnostic_key(event_id: UUID) -> str:
    """The key of an event that declares none: no other record shares it, so nothing is ordered by accident."""
    return f"diag-{event_id}"
