"""Old bytes and old releases against today: every golden value is read, every pair of releases does what was promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from treaty.errors import UsageError
from treaty.ops.baseline import SET, read_set, release_folders
from treaty_codegen.golden import Cell, cell, cell_is_promised, faults, read_golden
from treaty_codegen.old_set import OldSet

GOLDEN = "golden.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One cell of the matrix: an event written by one release and read by another; ``promised``: the static verdict."""

    event: str
    writer: str
    reader: str
    cell: Cell
    promised: bool

    @property
    def contradicts(self) -> bool:
        """Whether values were refused that the static verdict says are read."""
        return self.promised and self.cell == "refused"


def golden_faults(folder: Path, now: OldSet) -> Iterator[str]:
    """Every golden line of every release that is not read as it was recorded; releases without golden bytes say nothing."""
    for release in release_folders(folder):
        file = release / GOLDEN
        if not file.is_file():
            continue
        texts = {name: event.text for name, event in read_set(release / SET).events.items()}
        try:
            lines = list(read_golden(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise UsageError(f"{file}: {error}", next_step="git restore it: releases are append-only") from error
        for line in lines:
            today = now.events.get(line.event)
            place = f"{release.name} {line.event} case {line.case}"
            if line.event not in texts:
                yield f"{place}: the released set has no such event"
                continue
            for what in faults(line, written=texts[line.event], today=today.text if today else None):
                yield f"{place}: {what}"


def matrix(sets: Sequence[OldSet]) -> Iterator[Pair]:
    """All pairs (written by, read by) of the sets, for every event that both have; equal texts are one cell."""
    for writer in sets:
        for reader in sets:
            for name in sorted(writer.events.keys() & reader.events.keys()):
                written, read = writer.events[name].text, reader.events[name].text
                yield Pair(
                    event=name,
                    writer=writer.label,
                    reader=reader.label,
                    cell=cell(written, read),
                    promised=cell_is_promised(written, read),
                )
