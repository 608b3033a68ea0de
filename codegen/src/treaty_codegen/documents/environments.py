"""A value that environments may have differently, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

V = TypeVar("V")


def by_environment(values: Mapping[str, V], *, shown: Callable[[V], str], named: Callable[[str], str] = str) -> str:
    """``3``, or ``1 (prod: 3)`` where environments differ; ``named``: an environment's name as the document may have it."""
    others = ", ".join(f"{named(name)}: {shown(value)}" for name, value in sorted(values.items()) if name != "*")
    return f"{shown(values['*'])} ({others})" if others else shown(values["*"])
