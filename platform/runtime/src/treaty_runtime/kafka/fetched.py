"""A record as the client fetched it: what is seldom asked for stays in the client's message."""

from __future__ import annotations

from typing import Any

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME

from treaty_runtime.event import Headers, Place, Record
from treaty_runtime.kafka.message_headers import headers_of

_new: Any = tuple.__new__


class Fetched(Record):
    """A record whose headers and timestamp stay in the client's message until they are asked for, which is seldom."""

    __slots__ = ("_message",)

    def __init__(self, message: Any) -> None:
        place = message.topic(), message.partition(), message.offset()
        self.place: Place = _new(Place, place)  # one is made for each record: this is half of what Place(...) costs
        self.key, self.value, self._message = message.key(), message.value(), message

    @property
    def headers(self) -> Headers:
        """Names and values, in wire order."""
        try:
            return self._headers
        except AttributeError:
            self._headers: Headers = headers_of(self._message)
            return self._headers

    @property
    def timestamp_ms(self) -> int:  # type: ignore[override]  # read only here, and nobody writes it there
        """From the epoch."""
        milliseconds: int = self._message.timestamp()[1]
        return milliseconds

    @property
    def is_log_append_time(self) -> bool:  # type: ignore[override]  # as above
        """Whether the broker's clock gave the time."""
        return bool(self._message.timestamp()[0] == TIMESTAMP_LOG_APPEND_TIME)
