"""What a check found, as a value: kept apart from the checks, which take long to load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from treaty_codegen.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a check found, what it looked at (a sentence for people), and in which files.

    Paths are relative to ``root``; None: nobody wants to see lines of them.
    """

    findings: tuple[Finding, ...]
    looked_at: str
    files: tuple[str, ...] = ()
    root: Path | None = None
