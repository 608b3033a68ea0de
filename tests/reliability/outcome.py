"""How a run ended: what was done to the system, and what was wrong afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from treaty_runtime.testing.checker import Entry, Name, Verdict, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``faults`` says what was done, `100 SIGKILLs`; ``seen`` what was counted beside; ``wrong`` is empty after a good run."""

    run: str
    faults: str
    records: int
    seed: int
    seconds: float
    wrong: Sequence[str]
    seen: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    """The checker's words for what was wrong."""

    def __str__(self) -> str:
        beside = ", ".join(f"{count:,} {what}" for what, count in self.seen.items())
        told = f"{self.run}: {self.records:,} records, {self.faults}, seed {self.seed}, {self.seconds:.0f} s; {beside}"
        return "\n  ".join([f"{told}; {len(self.wrong)} anomalies", *self.wrong])


def judged(history: Sequence[Entry], *, ignoring: Collection[Name] = ()) -> tuple[list[Verdict], list[Verdict]]:
    """Broken promises, and what is merely worth a count."""
    verdicts = [each for each in check(history) if each.name not in ignoring]
    return [each for each in verdicts if each.is_failure], [each for each in verdicts if not each.is_failure]


def sentence(verdict: Verdict) -> str:
    """A verdict with the first events concerned."""
    return f"{verdict.name}: {len(verdict.events)} events, {verdict.detail}: {', '.join(verdict.events[:3])}"
