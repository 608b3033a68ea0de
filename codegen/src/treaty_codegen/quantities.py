"""Durations and sizes as people write them in ``topics.toml``: ``90s 15m 168h 30d``, ``1MiB``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_DURATION: Final = re.compile(r"(0|[1-9][0-9]{0,8})(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE: Final = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB|kB|MB|GB)")
_BYTES: Final = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "kB": 10**3, "MB": 10**6, "GB": 10**9}


def duration(text: str) -> timedelta:
    """``168h`` as a timedelta; units s, m, h, d. Raises ValueError with the sentence to show.

    No leading zeros: the text becomes part of a topic's name, and one delay must not have two.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r:.200} is not a duration; write a number and a unit, like 90s, 15m, 168h or 30d")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def span(value: timedelta) -> str:
    """A duration as people write it, in the largest unit that fits: ``7d``, ``36h``, ``90s``."""
    seconds = value // timedelta(seconds=1)
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def size_bytes(text: str) -> int:
    """``1MiB`` as a number of bytes; units B, kB, MB, GB and KiB, MiB, GiB. Raises ValueError with the sentence to show."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r:.200} is not a size; write a number and a unit, like 512KiB or 1MiB")
    return int(match[1]) * _BYTES[match[2]]


def broker_value(name: str, *, text: str) -> str:
    """A broker setting as Kafka wants it: ``7d`` becomes milliseconds under ``….ms``, ``1MiB`` bytes under ``….bytes``."""
    if name.endswith(".ms") and _DURATION.fullmatch(text):
        return str(duration(text) // timedelta(milliseconds=1))
    if name.endswith(".bytes") and _SIZE.fullmatch(text):
        return str(size_bytes(text))
    return text
