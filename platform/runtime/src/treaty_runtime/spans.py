"""What the runtime asks of whoever traces: the span that work belongs to, and a span around a handler."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol

from treaty_runtime.event import Envelope


class Spans(Protocol):
    """Knows the current span. ``treaty_runtime.telemetry`` is the adapter for OpenTelemetry."""

    def __call__(self, hook: object) -> None:
        """Hears what happened: it observes too."""

    def here(self) -> Mapping[str, str]:
        """W3C headers (`traceparent`, `tracestate`) of the current span; empty without one."""

    async def around(
        self, work: Awaitable[object], *, group: str, topic: str, envelopes: Sequence[Envelope[Any]]
    ) -> object:
        """Awaits the handling of these events of a topic inside a span of its own, and answers or raises what came of it.

        ``topic`` is one that the group reads: spans are named by it, and what headers say may be anything.
        """
