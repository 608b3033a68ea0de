"""A job for later: what a handler schedules and the delay queue runs once, never early."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from treaty_runtime.errors import InvalidJob

MAX_PAYLOAD_BYTES = 64_000
EARLIEST, LATEST = (
    datetime.min.replace(tzinfo=UTC) + timedelta(days=2),
    datetime.max.replace(tzinfo=UTC) - timedelta(days=2),
)
"""A driver reads times in the zone of its connection: nearer to the ends of what a datetime holds, some zones have none for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """``queue`` and ``id`` name it (the same pair again is the same job); ``due`` is aware; ``payload`` at most 64 kB."""

    queue: str
    id: str
    due: datetime
    payload: bytes = b""

    def check(self) -> None:
        """Raises InvalidJob for what no queue takes."""
        sizes = (len(self.queue), len(self.id), len(self.payload))
        if (
            not (1 <= sizes[0] <= 128 and 1 <= sizes[1] <= 255 and sizes[2] <= MAX_PAYLOAD_BYTES)
            or self.due.utcoffset() is None
            or not EARLIEST <= self.due <= LATEST
            or "\x00" in self.queue + self.id
        ):
            raise InvalidJob(
                f"Job {self.queue!r} {self.id[:80]!r}: a job needs a queue of 1 to 128 and an id of 1 to 255 characters, "
                f"an aware due time of the years 1 to 9999, two days from both ends (here {self.due.isoformat()}), "
                f"and at most {MAX_PAYLOAD_BYTES} bytes of payload (here {sizes[2]})."
            )
