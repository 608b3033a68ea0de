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
    """Counts the answers of ``publish_many``: one future for all instead of one each."""

    def __init__(self, done: asyncio.Future[None]) -> None:
        self.done, self.open, self.is_sealed = done, 0, False
        self.published: dict[int, Published] = {}
        self.failures: dict[int, str] = {}
        self.is_retriable = True

    def settle(self, index: int, answer: Published | PublishFailed) -> None:
        """The broker answered about one of them."""
        self.open -= 1
        if isinstance(answer, PublishFailed):
            self.failures[index] = answer.reason
            self.is_retriable = self.is_retriable and answer.is_retriable
        else:
            self.published[index] = answer
        if self.is_sealed and not self.open:
            self._finish()

    def seal(self) -> None:
        """All are on their way."""
        self.is_sealed = True
        if not self.open:
            self._finish()

    def failed(self) -> PublishFailed:
        """What the caller is told if any of them failed."""
        reason = f"{len(self.failures)} of {len(self.failures) + len(self.published)} events were not published."
        return PublishFailed(reason, is_retriable=self.is_retriable, failures=self.failures)

    def unanswered(self, seconds: float) -> PublishFailed:
        """What the caller is told if some have no answer in time."""
        reason = f"No acknowledgement of {self.open} events within {seconds:g} s."
        return PublishFailed(reason, is_retriable=True, failures=self.failures)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
