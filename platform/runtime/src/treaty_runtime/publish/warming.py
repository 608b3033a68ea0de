"""Looks schema ids up in advance, so that no request waits for the registry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from treaty_runtime.errors import RegistryUnavailable, SchemaNotRegistered
from treaty_runtime.event import Event
from treaty_runtime.retry import backoff
from treaty_runtime.wire.serde import Serde

_FIRST_WAIT, _LONGEST_WAIT = timedelta(milliseconds=500), timedelta(seconds=30)


async def warm(serde: Serde, events: Iterable[type[Event]], *, random: Callable[[], float]) -> None:
    """Look every class up until the registry has answered for all; what is not registered is left to its first use."""
    left, failures = list(events), 0
    while left:
        away = []
        for event in left:
            try:
                await serde.schema_id(event)
            except SchemaNotRegistered:
                continue
            except RegistryUnavailable:
                away.append(event)
                break  # the others would only wait for the same answer
        left = left[left.index(away[0]) :] if away else []
        if left:
            wait = backoff(failures, first=_FIRST_WAIT, ceiling=_LONGEST_WAIT, jitter=random())
            await asyncio.sleep(wait.total_seconds())
            failures += 1
