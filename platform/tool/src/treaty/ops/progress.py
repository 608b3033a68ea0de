"""How far a long work is, told to whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Takes how many are done, and of how many."""


def silent(_done: int, _total: int) -> None:
    """Nobody wants to know."""
