"""What publishing answers: where an event is, and how a call with many events ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from treaty_runtime.clock import EPOCH
from treaty_runtime.errors import PublishFailed
from treaty_runtime.event import Place


@dataclass(slots=True)  # not frozen: one is made per event, and what is seldom asked for is made then
class Published:
    """Where the broker put an event, when by its record's timestamp, and as what."""

    place: Place
    timestamp_ms: int
    event_id: UUID
    schema_id: int

    @property
    def topic(self) -> str:
        """The topic."""
        return self.place.topic

    @property
    def partition(self) -> int:
        """The partition."""
        return self.place.partition

    @property
    def offset(self) -> int:
        """The offset."""
        return self.place.offset

    @property
    def timestamp(self) -> datetime:
        """The record's timestamp, aware."""
        return EPOCH + timedelta(milliseconds=max(self.timestamp_ms, 0))


class Batch:
    """Counts the answers of ``publish_many``: one future for all ``size`` events instead of one each."""

    def __init__(self, done: asyncio.Future[None], *, size: int) -> None:
        self.done, self._size, self._open = done, size, size
        self.published: dict[int, Published] = {}
        self.failures: dict[int, str] = {}
        self._is_retriable = True
        self._finish()

    def settle(self, index: int, answer: Published | PublishFailed) -> None:
        """The broker answered about one of them, or it was not sent."""
        self._open -= 1
        if isinstance(answer, PublishFailed):
            self.failures[index] = answer.reason
            self._is_retriable = self._is_retriable and answer.is_retriable
        else:
            self.published[index] = answer
        self._finish()

    def failed(self) -> PublishFailed:
        """What the caller is told if any of them failed."""
        reason = f"{len(self.failures)} of {self._size} events were not published."
        return PublishFailed(reason, is_retriable=self._is_retriable, failures=self.failures)

    def unanswered(self, seconds: float) -> PublishFailed:
        """What the caller is told if some have no answer in time: these count as failed, though they may arrive yet."""
        late = f"No acknowledgement within {seconds:g} s."
        settled = self.published.keys() | self.failures.keys()
        failures = self.failures | {index: late for index in range(self._size) if index not in settled}
        reason = f"No acknowledgement of {self._open} events within {seconds:g} s."
        return PublishFailed(reason, is_retriable=True, failures=failures)

    def _finish(self) -> None:
        if not self._open and not self.done.done():
            self.done.set_result(None)
