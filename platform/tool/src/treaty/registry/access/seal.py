"""The chain that makes it seen if an entry of the audit was changed, taken out or put in. Pure.

Each sealed entry holds the hash of itself and of the seal before it. Who can write to the table can also make a whole new
chain, so the chain is worth what its head is worth that was noted somewhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from treaty.registry.access.audit import Entry

FIRST: Final = bytes(32)
"""What stands before the first seal."""


@dataclass(frozen=True, slots=True)
class Link:
    """A sealed entry: its place in the chain (from 1), its number in the table, itself, its seal."""

    position: int
    number: int
    entry: Entry
    seal: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain found; ``broken``: a sentence, or empty. ``head``: the last seal that was right."""

    entries: int
    position: int
    head: bytes
    broken: str = ""


def seal_of(before: bytes, *, position: int, number: int, entry: Entry) -> bytes:
    """The seal of an entry that follows the seal ``before``."""
    said = json.dumps([position, number, entry.as_json()], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(before + said.encode()).digest()


def walked(links: Iterable[Link], *, expected: tuple[int, bytes] | None = None) -> Verdict:
    """Follow the chain; ``expected``: a position and the seal that was noted there.

    Where old entries were deleted the first one that is left is believed, and all after it are checked.
    """
    before, position, entries, seen = b"", 0, 0, expected is None
    for link in links:
        if not entries and link.position > 1:
            before, position, entries = link.seal, link.position, 1
        else:
            if link.position != position + 1:
                return Verdict(entries, position, before, f"Entries are missing after position {position}.")
            wanted = seal_of(before or FIRST, position=link.position, number=link.number, entry=link.entry)
            if wanted != link.seal:
                return Verdict(entries, position, before, f"Entry {link.number} is not what was sealed.")
            before, position, entries = link.seal, link.position, entries + 1
        if expected is not None and position == expected[0]:
            if link.seal != expected[1]:
                return Verdict(entries, position, before, f"At position {position} another seal was noted.")
            seen = True
    if not seen:
        return Verdict(entries, position, before, "The position that was noted is not in the chain.")
    return Verdict(entries, position, before)
