"""Bounded memory of answers that cannot change: least recently used go first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lru(Generic[K, V]):
    """A thread-safe map whose values together are at most ``capacity`` large; ``size_of`` says how large a key and its value are."""

    def __init__(self, capacity: int, *, size_of: Callable[[K, V], int] = lambda _key, _value: 1) -> None:
        self._capacity, self._size_of = capacity, size_of
        self._held: OrderedDict[K, V] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value, which is now the most recently used; or None."""
        with self._lock:
            value = self._held.get(key)
            if value is not None:
                self._held.move_to_end(key)
            return value

    def known(self, keys: Collection[K]) -> set[K]:
        """Those of the keys that have a value; all of them are now the most recently used."""
        with self._lock:
            found = {key for key in keys if key in self._held}
            for key in found:
                self._held.move_to_end(key)
            return found

    def put(self, key: K, value: V) -> None:
        """Keep a value; one larger than the whole capacity is not kept."""
        with self._lock:
            old = self._held.pop(key, None)
            self._size += self._size_of(key, value) - (0 if old is None else self._size_of(key, old))
            self._held[key] = value
            while self._size > self._capacity:
                self._size -= self._size_of(*self._held.popitem(last=False))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._size = 0
