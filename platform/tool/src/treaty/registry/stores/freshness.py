"""Whether what this process remembers still holds, although other processes write to the same store.

Law: what may be remembered ends only with a permanent delete, an import or a change of an alias, and each of those moves the
store's ``generation``. Reading that costs a statement, so the store's ``signal``, which costs none, says when to read it; a
store that has no signal to give is asked once a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from treaty.registry.stores.protocol import Store

GENERATION_SECONDS: Final = 1.0


class Freshness:
    """Counts the times that remembered things ended: one ``epoch`` each. Thread-safe."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store, self._monotonic = store, monotonic
        self._epoch, self._generation, self._signal, self._looked_at = 0, -1, -1, float("-inf")
        self._lock = threading.Lock()

    @property
    def epoch(self) -> int:
        """What was remembered in an earlier epoch does not hold any more."""
        return self._epoch

    def is_current(self) -> bool:
        """True if the epoch is known to stand; never blocks. Where the store gives no signal it may be a second old."""
        if not self._store.shared:
            return True
        signal = self._store.signal()
        if signal is None:
            return self._monotonic() - self._looked_at <= GENERATION_SECONDS
        return signal == self._signal

    def look(self) -> None:
        """Compare the store's generation unless the epoch is current (one statement); blocks, so call it in a thread."""
        if self.is_current():
            return
        # Asked before the generation is read: what moves in between is looked at again rather than missed.
        signal, asked_at = self._store.signal(), self._monotonic()
        generation = self._store.generation()
        with self._lock:
            if generation != self._generation:
                self._epoch += 1
            self._generation, self._looked_at = generation, asked_at
            self._signal = -1 if signal is None else signal

    def end(self) -> None:
        """This process has ended something: begin the next epoch at once."""
        with self._lock:
            self._epoch += 1
