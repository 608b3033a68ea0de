"""The schema gate: before a group starts, every live version of what it handles must be readable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Protocol

from treaty_avro import AvroError, Schema, incompatibilities, resolve, schema_of
from treaty_runtime.errors import RegistryUnavailable
from treaty_runtime.event import Event
from treaty_runtime.retry import backoff

_FIRST_WAIT, _LONGEST_WAIT = timedelta(milliseconds=500), timedelta(seconds=30)


class Version(Protocol):
    """A registered version that is not deleted."""

    @property
    def subject(self) -> str:
        """Its subject."""

    @property
    def version(self) -> int:
        """Its number."""

    @property
    def schema(self) -> Schema:
        """The writer's schema."""


class Versions(Protocol):
    """What the gate asks of a registry."""

    async def live_versions(self, subject: str) -> Sequence[Version]:
        """Every version of a subject that is not deleted; raises RegistryUnavailable."""


async def gate_findings(events: Iterable[type[Event]], registry: Versions) -> list[str]:
    """What keeps the gate closed, a line per finding: `order-events-mall.order.OrderPaid v7: /fields/2 …`."""
    findings: list[str] = []
    for event in sorted(events, key=lambda event: event.__subject__):
        reader = schema_of(event)
        for version in await registry.live_versions(event.__subject__):
            findings += (f"{version.subject} v{version.version}: {fault}" for fault in _faults(reader, version.schema))
    return findings


def _faults(reader: Schema, writer: Schema) -> Iterator[str]:
    found = incompatibilities(reader, writer)
    yield from (f"{fault.location} {fault.type}" for fault in found)
    if not found:
        try:
            resolve(writer, reader)
        except AvroError as error:
            yield str(error)


class SchemaGate:
    """Closed until every live version is readable; asks again while the registry is away or a version is not.

    `findings` says why it is closed, `is_checked` whether the registry has answered at all.
    """

    def __init__(self, events: Iterable[type[Event]], registry: Versions, *, random: Callable[[], float]) -> None:
        self.findings: tuple[str, ...] = ()
        self.is_checked = False
        self._events, self._registry, self._random = tuple(events), registry, random

    async def opened(self) -> None:
        """Return once the gate is open."""
        failures = 0
        while not (self.is_checked and not self.findings):
            try:
                self.findings = tuple(await gate_findings(self._events, self._registry))
                self.is_checked = True
            except RegistryUnavailable:
                self.is_checked = False
            if self.findings or not self.is_checked:
                wait = backoff(failures, first=_FIRST_WAIT, ceiling=_LONGEST_WAIT, jitter=self._random())
                await asyncio.sleep(wait.total_seconds())
                failures += 1
