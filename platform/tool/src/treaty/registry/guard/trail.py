"""The way of refusals into the audit: collected, written once a second, dropped and counted when there are too many.

Changes do not come this way: they are written in their own transactions (``guarded``) and are never dropped.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import Final

from treaty.registry.access.audit import Entry
from treaty.registry.errors import StoreConflict, StoreUnavailable
from treaty.registry.observation import AuditDropped, Observe
from treaty.registry.stores.protocol import Store

FLUSH_SECONDS: Final = 1.0
FLUSHES_A_SEAL: Final = 5
MOST_A_FLUSH: Final = 1_000


class Trail:
    """Refusals that wait to be written. Thread-safe."""

    def __init__(self, store: Store, *, observe: Observe) -> None:
        self._store, self._observe = store, observe
        self._waiting: deque[Entry] = deque()
        self._lock = threading.Lock()

    def note(self, entry: Entry) -> None:
        """Remember a refusal until the next flush, or drop it."""
        with self._lock:
            is_full = len(self._waiting) >= MOST_A_FLUSH
            if not is_full:
                self._waiting.append(entry)
        if is_full:
            self._observe(AuditDropped(1))

    def flush(self) -> None:
        """Write what waits; blocks. What a store that is away does not take is dropped: requests fail then anyway."""
        with self._lock:
            entries, self._waiting = list(self._waiting), deque()
        if not entries:
            return
        try:
            self._store.note(entries)
        except (StoreUnavailable, StoreConflict):
            self._observe(AuditDropped(len(entries)))

    def seal(self) -> None:
        """Have the audit sealed; blocks. A store that is away is sealed the next time."""
        with suppress(StoreUnavailable, StoreConflict):
            self._store.seal()
