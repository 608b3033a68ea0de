"""Checks the chain from its beginning to its end, a stretch at a time."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from mall.audit import store
from mall.audit.domain import BEGINNING, Broken, first_break

STRETCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """An end of the chain that somebody noted earlier, elsewhere."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The end of the chain, and the first place at which it does not hold."""

    sequence: int
    hash: str
    broken: Broken | None


async def verify(session: AsyncSession, *, anchor: Anchor | None) -> Verdict:
    """Read the whole chain and compare it with itself, its noted end, and an end that was noted elsewhere."""
    end, end_hash = await store.head(session)
    broken = await _first_break(session, end=end, end_hash=end_hash)
    if broken is None and anchor is not None:
        broken = await _missing(session, anchor)
    return Verdict(sequence=end, hash=end_hash, broken=broken)


async def _first_break(session: AsyncSession, *, end: int, end_hash: str) -> Broken | None:
    after, previous_hash = 0, BEGINNING
    while after < end:
        rows = [row for row in await store.stretch(session, after=after, size=STRETCH) if row.sequence <= end]
        if not rows:
            return Broken(after + 1, f"Entry {after + 1} is missing.")
        if broken := first_break((row.value() for row in rows), after=after, previous_hash=previous_hash):
            return broken
        after, previous_hash = rows[-1].sequence, rows[-1].hash
    return None if previous_hash == end_hash else Broken(end, "The end of the chain is not the one that was noted.")


async def _missing(session: AsyncSession, anchor: Anchor) -> Broken | None:
    row = await store.find_entry(session, anchor.sequence)
    if row is not None and row.hash == anchor.hash:
        return None
    return Broken(anchor.sequence, f"Entry {anchor.sequence} is not the one that was noted elsewhere.")
