"""Records that wait in a table behind a failed one of their key (`on_failure="hold_key"`), and what keeps them.

Law: a held record is complete on its topic. Its row is deleted in the transaction of its effect, so that the effect happens once,
whoever else has read the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from treaty_runtime.errors import TreatyError
from treaty_runtime.event import Partition, Place, Record


class AlreadyReleased(TreatyError):
    """Another member has handled this held record: nothing is left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record in the table: number of its coming attempt, not before ``due`` (None: when its turn comes).

    ``begun``: how many attempts were begun since the last one that ended. Their processes died of it, or at the same time.
    """

    record: Record
    attempt: int
    due: datetime | None
    begun: int = 0

    @property
    def place(self) -> Place:
        """Where the record lies on its topic; rows of a key are in order of its offset."""
        return self.record.place


class HeldRecords(Protocol):
    """The table. What is away raises Outage; every call but ``release`` is a transaction of its own and may be repeated."""

    async def load(self, group: str, partition: Partition) -> list[Held]:
        """Everything held of one partition, in order, without values."""

    async def hold(self, group: str, rows: Sequence[Held]) -> None:
        """Adds records; one that is there already stays as it is."""

    async def again(self, group: str, row: Held) -> None:
        """Another attempt failed: when is the next one. A row that has gone stays gone."""

    async def fetch(self, group: str, place: Place) -> Held | None:
        """The whole record, and counts that it is begun: ``begun`` is what it was before. None: it has gone."""

    async def spare(self, group: str, places: Sequence[Place]) -> None:
        """These were begun and cut off in good order: their process did not die of them."""

    async def release(self, session: Any, group: str, place: Place) -> None:
        """Deletes the row in the session's transaction; AlreadyReleased if it has gone."""

    async def drop(self, group: str, place: Place) -> None:
        """Deletes the row: the record has become a dead letter, or had its effect before."""
