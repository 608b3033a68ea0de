"""Which locks a write holds on Postgres, and in which order: global, context, subjects ascending.

Law: whatever a decision read cannot change before it is committed. A write of a subject shares the global and the context's
lock, so config, mode and IMPORT of a context (which hold it alone) and ``/mode`` (which holds the global one alone) wait
for it and it for them: nothing registers after PUT READONLY has answered. One order for all: no two writers wait in a ring.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from treaty.registry.names import GLOBAL_CONTEXT, TOP, Name


@dataclass(frozen=True, slots=True)
class Lock:
    """An advisory lock: a signed 64-bit key, alone or shared."""

    key: int
    is_exclusive: bool


def locks_of(own: Name, others: Collection[Name] = ()) -> tuple[Lock, ...]:
    """The locks of a write of ``own`` that relies on ``others``, in the order in which they are taken."""
    if own == TOP or own.context == GLOBAL_CONTEXT:
        return (Lock(_key("global"), is_exclusive=True),)
    context = Lock(_key("context", own.context), is_exclusive=not own.subject)
    shared_global = Lock(_key("global"), is_exclusive=False)
    if not own.subject:
        return shared_global, context
    keys = {_key("subject", name.context, name.subject): False for name in others}
    keys[_key("subject", own.context, own.subject)] = True
    return shared_global, context, *(Lock(key, is_exclusive=alone) for key, alone in sorted(keys.items()))


def _key(*parts: str) -> int:
    digest = hashlib.sha256("\0".join(("treaty-registry", *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
