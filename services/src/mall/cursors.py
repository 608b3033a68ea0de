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


def encode(*numbers: int) -> str:
    """The cursor after the row that these numbers name: its id, or what else orders the list and then its id."""
    return base64.urlsafe_b64encode(".".join(map(str, numbers)).encode()).decode().rstrip("=")


def decode(cursor: str | None) -> int | None:
    """The id a cursor stands for; raises Invalid for a text that `encode` did not make."""
    numbers = decode_all(cursor, count=1)
    return None if numbers is None else numbers[0]


def decode_all(cursor: str | None, *, count: int) -> list[int] | None:
    """The `count` numbers a cursor stands for; raises Invalid for a text that `encode` did not make."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise Invalid("cursor: not a cursor of this service.") from None
    parts = text.split(".")
    if len(parts) != count or not all(part.isdigit() and int(part) <= LARGEST_ID for part in parts):
        raise Invalid("cursor: not a cursor of this service.")
    return [int(part) for part in parts]


def page(rows: Sequence[Row], *, size: int, id_of: Callable[[Row], int]) -> tuple[list[Row], str | None]:
    """The page's rows and the next cursor, given up to `size + 1` rows."""
    shown = list(rows[:size])
    return shown, encode(id_of(shown[-1])) if len(rows) > size else None
