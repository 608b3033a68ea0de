"""When to look at which job: what delay workers ask of the store that knows; Redis is the one that ships."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

LEASE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker shall look at now."""

    job_id: str
    token: str


class Claimed(NamedTuple):
    """Claims, and in how many seconds the next member falls due (None: there is none)."""

    claims: list[Claim]
    next_seconds: float | None


class DueTimes(Protocol):
    """Hints about due jobs. Every method raises Outage (`redis`) while the store is away."""

    async def push(self, queue: str, jobs: Iterable[tuple[str, datetime]], *, replace: bool = False) -> None:
        """Look at these (id, due) when they are due; a known id keeps its time unless `replace`."""

    async def claim(self, queue: str, *, limit: int, lease: float = LEASE_SECONDS) -> Claimed:
        """Up to `limit` members that are due, each for `lease` seconds."""

    async def extend(self, queue: str, claim: Claim, *, lease: float = LEASE_SECONDS) -> bool:
        """Prolong a claim; False if it is no longer ours."""

    async def acknowledge(self, queue: str, claim: Claim) -> bool:
        """The job is settled; False if the claim is no longer ours."""

    async def again(self, queue: str, claim: Claim, *, due: datetime) -> bool:
        """Look at the job once more at `due`; False if the claim is no longer ours."""

    async def may_sweep(self, queue: str, *, owner: str, seconds: float) -> bool:
        """Whether this process sweeps the queue for the coming period; one does."""

    async def close(self) -> None:
        """Ends the connections that are its own."""
