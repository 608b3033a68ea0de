"""Waits for what `/readyz` would answer."""

from __future__ import annotations

from collections.abc import Callable

from tests.parts.waiting import eventually
from treaty_runtime.runtime import Runtime
from treaty_runtime.wiring.readiness import Readiness


async def readiness_of(runtime: Runtime, condition: Callable[[Readiness], bool]) -> Readiness:
    """The first answer of which the condition holds."""
    found: list[Readiness] = []

    async def holds() -> bool:
        found.append(await runtime.readiness())
        return condition(found[-1])

    await eventually(holds)
    return found[-1]
