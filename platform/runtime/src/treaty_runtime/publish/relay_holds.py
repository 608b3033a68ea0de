"""Keys that wait until an operator acts or the registry answers: a topic is missing, a right, a registered schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

from treaty_runtime.hooks import Hooks, OutboxHeld
from treaty_runtime.transport import Fault

REPORT_SECONDS = 60.0


class Holds:
    """Held keys with their reason; each is tried again after `again`. `clock` is monotonic, in seconds."""

    def __init__(self, *, again: timedelta, clock: Callable[[], float], hooks: Hooks) -> None:
        self._again, self._clock, self._hooks = again, clock, hooks
        self._held: dict[str, tuple[Fault, float]] = {}
        self._reported: Counter[str] = Counter()
        self._report_at = clock()

    def add(self, faults: Mapping[str, Fault]) -> None:
        """Hold these keys for a while."""
        again = self._clock() + self._again.total_seconds()
        self._held.update({key: (fault, again) for key, fault in faults.items()})

    def keys(self) -> frozenset[str]:
        """Keys to leave out now; those whose time has come are forgotten, and held again if they fail again."""
        now = self._clock()
        self._held = {key: (fault, again) for key, (fault, again) in self._held.items() if again > now}
        return frozenset(self._held)

    def why(self, name: str) -> str | None:
        """What was said of a key that is held for this reason; None if none is."""
        return next((fault.text for fault, _ in self._held.values() if fault.name == name), None)

    def report(self) -> None:
        """Tell observers how many keys are held: at once when a reason is new, else each minute."""
        counts = Counter(fault.name for fault, _ in self._held.values())
        is_due = self._clock() >= self._report_at and (counts or self._reported)
        if is_due or counts.keys() - self._reported.keys():
            self._reported, self._report_at = counts, self._clock() + REPORT_SECONDS
            self._hooks(OutboxHeld(keys=counts))
