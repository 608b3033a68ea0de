"""Where librdkafka goes on elsewhere, because the broker no longer has the offset that it asks for.

It says so in its log alone and reads on where `auto.offset.reset` sends it: what lay between would be missing without a word.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, TopicPartition

from treaty_runtime.errors import InvalidSettings
from treaty_runtime.event import Partition, Place
from treaty_runtime.transport import Missed

SILENT_SECONDS, _ANSWER_SECONDS = 5.0, 5.0

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
    """Stands where a client wants a logger, and knows which partitions are read on elsewhere until it is said what is missing.

    Lines that whoever configured the client asked for go to the logger `librdkafka`. All of it belongs to the thread that polls.
    """

    def __init__(self, config: Mapping[str, object], *, clock: Callable[[], float] = monotonic) -> None:
        """InvalidSettings for a level that is none."""
        told = str(config.get("log_level", _USUAL))
        if not told.isdecimal() or int(told) >= len(_LEVELS):
            raise InvalidSettings([f"log_level is a number from 0 to {len(_LEVELS) - 1}, as in syslog: {told!r}"])
        self.log_level = max(int(told), _WARNING)
        """For the client."""
        self._asked_for = logging.DEBUG if config.get("debug") else _LEVELS[int(told)]
        self._logger = logging.getLogger("librdkafka")
        self._clock, self._ask_at = clock, 0.0
        self.open: dict[Partition, Reset] = {}
        """Resets behind which nothing was read yet."""

    def log(self, level: int, text: str, *words: object) -> None:
        """Hears a line: its facility, the client's name and the text."""
        reset = reset_of(str(words[-1]))
        if reset is not None:
            if not self.open:
                self._ask_at = self._clock() + SILENT_SECONDS
            self.open.setdefault(reset.place.of, reset)
        if level >= self._asked_for:
            self._logger.log(level, text, *words)

    def missed(self, messages: Iterable[Any]) -> Iterator[Missed]:
        """What is missing before these messages. What was fetched before a reset may still come after it."""
        for message in messages:
            partition = Partition(message.topic(), message.partition())
            reset = self.open.get(partition)
            if reset is not None and message.offset() >= reset.place.offset:
                del self.open[partition]
                if message.offset() > reset.place.offset:
                    yield Missed(reset.place, message.offset())

    def missed_in_silence(self, consumer: Any) -> Missed | None:
        """Asks whether a partition of which nothing comes is empty, and where it goes on then: each once in ``SILENT_SECONDS``.

        Where reading goes on at the end, only the first record says so: the end has moved on by the time it is asked for.
        """
        if self._clock() < self._ask_at:
            return None
        asked = next((each for each, reset in self.open.items() if reset.is_to_start), None)
        if asked is None:
            return None
        reset = self.open[asked] = self.open.pop(asked)  # its turn comes again after all others
        edges = None
        with suppress(KafkaException):
            edges = consumer.get_watermark_offsets(TopicPartition(*asked), timeout=_ANSWER_SECONDS)
        # Without an answer nobody is asked at once again: nothing is polled meanwhile.
        self._ask_at = self._clock() + (SILENT_SECONDS if edges is None else SILENT_SECONDS / len(self.open))
        if edges is None or edges[0] < edges[1]:
            return None  # its first record will say it
        del self.open[asked]
        low = edges[0]
        return Missed(reset.place, low) if low > reset.place.offset else None

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These left, or are read from elsewhere: whoever has them next begins at the same place, as nothing behind it was read."""
        for partition in partitions:
            self.open.pop(partition, None)
