"""Where librdkafka goes on elsewhere, because the broker no longer has the offset that it asks for.

It says so in its log alone and reads on where `auto.offset.reset` sends it: what lay between would be missing without a word.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from treaty_runtime.event import Place

# Source: librdkafka 2.16, `rd_kafka_offset_reset`. A group that has committed nothing yet has no offset there.
_RESET = re.compile(
    r"(?P<topic>[\w.-]+) \[(?P<partition>\d+)\]: offset reset \(at offset (?P<offset>\d+)\b.*?\) "
    r"to (?:cached|offset) (?P<end>BEGINNING|END)\b"
)
_WARNING, _USUAL = 4, 6
"""The level of that line, and the client's own, as syslog numbers them."""
_LEVELS = (
    *[logging.CRITICAL] * 3, logging.ERROR, logging.WARNING, logging.INFO, logging.INFO, logging.DEBUG,
)  # fmt: skip
"""What Python calls levels 0 to 7."""


class Reset(NamedTuple):
    """The place that was asked for, and whether reading goes on at the partition's start (or else at its end)."""

    place: Place
    is_to_start: bool


def reset_of(line: str) -> Reset | None:
    """What a line of librdkafka's log tells of a reset; None for any other line."""
    found = _RESET.search(line)
    if found is None:
        return None
    return Reset(
        Place(found["topic"], int(found["partition"]), int(found["offset"])), is_to_start=found["end"] == "BEGINNING"
    )


class Resets:
    """Stands where a client wants a logger. Lines that whoever configured the client asked for go to the logger `librdkafka`."""

    def __init__(self, config: Mapping[str, object]) -> None:
        level = int(str(config.get("log_level", _USUAL)))
        self.log_level = max(level, _WARNING)
        """For the client."""
        self._asked_for = logging.DEBUG if config.get("debug") else _LEVELS[min(level, len(_LEVELS) - 1)]
        self._logger = logging.getLogger("librdkafka")
        self.seen: deque[Reset] = deque()
        """What nobody has looked after yet."""

    def log(self, level: int, text: str, *words: object) -> None:
        """Hears a line: its facility, the client's name and the text. On the thread that polls."""
        reset = reset_of(str(words[-1]))
        if reset is not None:
            self.seen.append(reset)
        if level >= self._asked_for:
            self._logger.log(level, text, *words)
