"""Where a page ends: an opaque text that stands for the last id of a list."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from mall.errors import Invalid
from mall.identity import LARGEST_ID

PAGE = 50
Row = TypeVar("Row")


def encode(last_id: int) -> str:
    """The cursor after the row with `last_id`."""
    return base64.urlsafe_b64encode(str(last_id).encode()).decode().rstrip("=")


def decode(cursor: str | None) -> int | None:
    """The id a cursor stands for; raises Invalid for a text that `encode` did not make."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise Invalid("cursor: not a cursor of this service.") from None
    if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_ID):
        raise Invalid("cursor: not a cursor of this service.")
    return int(text)


def page(rows: Sequence[Row], *, size: int, id_of: Callable[[Row], int]) -> tuple[list[Row], str | None]:
    """The page's rows and the next cursor, given up to `size + 1` rows."""
    shown = list(rows[:size])
    return shown, encode(id_of(shown[-1])) if len(rows) > size else None
