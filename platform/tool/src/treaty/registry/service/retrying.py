"""Deciding again when another writer came first."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from treaty.registry.errors import StoreConflict, StoreUnavailable
from treaty.registry.names import Name
from treaty.registry.observation import Observe, Retried, ignore
from treaty.registry.stores.protocol import Store, Writer

T = TypeVar("T")

ATTEMPTS: Final = 5


def in_write(
    store: Store,
    own: Name,
    decide: Callable[[Writer], T],
    *,
    others: Collection[Name] = (),
    observe: Observe = ignore,
) -> T:
    """Run ``decide`` in a write of ``own``; after a conflict the whole decision is made anew, at most five times.

    Raises ``StoreUnavailable`` when the fifth attempt meets a conflict too.
    """
    for _ in range(ATTEMPTS):
        try:
            with store.write(own, others) as writer:
                return decide(writer)
        except StoreConflict:
            observe(Retried())
    raise StoreUnavailable
