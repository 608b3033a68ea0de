"""A value in a message: short, and nothing of what is personal."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Final
from uuid import UUID

LONGEST: Final = 80


def shown(value: object, *, is_private: bool = False) -> str:
    """At most 80 characters of a value; only its class if it is personal data."""
    if is_private:
        return f"a {type(value).__name__}"
    # A long text, number or collection is not rendered whole first: that could cost more than the check that failed.
    if isinstance(value, int) and value.bit_length() > 4 * LONGEST:
        return f"an int of {value.bit_length()} bits"
    if isinstance(value, str | bytes | bytearray) and len(value) > LONGEST:
        value = value[:LONGEST]
    elif isinstance(value, list | tuple | dict | set | frozenset) and len(value) > LONGEST:
        return f"a {type(value).__name__} of {len(value)}"
    try:
        text = str(value) if isinstance(value, Decimal | UUID | date | time) else repr(value)
    except Exception:  # noqa: BLE001  # a message about a value must not fail for the value's own repr
        return f"a {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
