"""What a read model made anew was like, compared with the one in use, and how far back the topics tell.

Law: the topics decide what they still tell. What they no longer tell, because their retention has cut it off, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from treaty_runtime.wiring.replaying import ReplayReport


class RebuildRefused(Exception):
    """The read model was not made anew; what was in use stays in use."""


class RebuildBroken(Exception):
    """Something went away in the middle: the message says whether what was in use stays for certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How the new part of a read model differed from the one in use, in rows or keys; `stayed`: what no topic tells any more."""

    name: str
    put_in: int
    taken_out: int
    stayed: int = 0

    def __str__(self) -> str:
        told = f"{self.name}: {self.put_in} put in, {self.taken_out} taken out"
        return f"{told}, {self.stayed} kept that the topics no longer tell." if self.stayed else f"{told}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """A read model that was swapped in."""

    events: int
    changes: tuple[Change, ...]


@dataclass(slots=True)
class History:
    """How far back topics tell: whole, or from some time on."""

    cut_at: dict[str, datetime] = field(default_factory=dict)

    def learn(self, report: ReplayReport, *, now: datetime) -> None:
        """From a replay that read from the start; a partition with nothing left tells nothing before `now`."""
        for partition, (first, _) in report.spans.items():
            if first > 0:
                began = report.began.get(partition, now)
                self.cut_at[partition.topic] = max(began, self.cut_at.get(partition.topic, began))

    def cut(self, topics: Iterable[str]) -> datetime | None:
        """When the youngest beginning of these topics is; None: they tell everything that ever happened."""
        return max((self.cut_at[topic] for topic in topics if topic in self.cut_at), default=None)


def checked(report: ReplayReport, *, despite_failures: bool) -> ReplayReport:
    """The report, if nothing failed or that is accepted; otherwise `RebuildRefused` with the first failures."""
    if report.failed and not despite_failures:
        first = "\n".join(
            f"  {place.topic}/{place.partition}/{place.offset}: {why}" for place, why in report.failures[:10]
        )
        raise RebuildRefused(
            f"{report.failed} records could not be handled, so the old read model stays:\n{first}\n"
            "If the running service set them aside too (treaty dlq list), say --despite-failures."
        )
    return report
