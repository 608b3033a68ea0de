"""Keeping personal data out of error texts: values of declared fields, e-mail addresses, card and account numbers, stored values."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "•••"

_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,255}\.[A-Za-z]{2,24}")
_LONG_NUMBER = re.compile(r"(?<!\d)\d{12,19}(?!\d)")  # card and account numbers; ids of ours are shorter or not decimal
_STORED = (
    re.compile(r"^(DETAIL: ).*$", re.MULTILINE),  # PostgreSQL: Key (token)=(…) already exists.
    re.compile(r"^(\[parameters: ).*$", re.MULTILINE),  # SQLAlchemy, unless the engine hides them
)


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without e-mail addresses, runs of 12 to 19 digits, what databases tell of rows, and any of ``secrets`` (longest first)."""
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    for pattern in _STORED:
        text = pattern.sub(r"\g<1>" + MASK, text)
    return _LONG_NUMBER.sub(MASK, _EMAIL.sub(MASK, text))
