"""Schema ids for rows that were staged while the registry was away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from treaty_runtime.errors import RegistryUnavailable, SchemaNotRegistered
from treaty_runtime.event import Event
from treaty_runtime.publish.backlog import Pending
from treaty_runtime.publish.outbox_headers import WRITER, load_headers, writer_of
from treaty_runtime.transport import Fault, FaultKind
from treaty_runtime.wire.serde import UNKNOWN_ID, Serde, frame, with_schema_id

REGISTRY_AWAY = "REGISTRY_AWAY"
"""Why a key is held that waits for the registry to come back."""
ANSWER_SECONDS, AGAIN_SECONDS = 0.5, 2.0
"""How long rows that need no registry are kept waiting for its answer, and how soon it is asked again after none."""

_UNKNOWN = frame(UNKNOWN_ID)


class LateIds:
    """Fills ids in, for the classes this program has (`events`: full name to class). `clock` is monotonic, in seconds."""

    def __init__(
        self, serde: Serde, events: Mapping[str, type[Event]], *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._serde, self._events, self._clock = serde, events, clock
        self._away, self._ask_at = Fault(REGISTRY_AWAY, "", FaultKind.HELD), clock()

    async def fill(self, rows: Sequence[Pending]) -> tuple[Sequence[Pending], dict[str, Fault]]:
        """The rows that can be sent, and for each key that cannot the reason; later rows of such a key are left out too."""
        if not any(row.payload.startswith(_UNKNOWN) for row in rows):
            return rows, {}
        ready: list[Pending] = []
        held: dict[str, Fault] = {}
        faults: dict[type[Event], Fault] = {}
        for row in rows:
            if row.key in held:
                continue
            filled = row if not row.payload.startswith(_UNKNOWN) else await self._filled(row, faults)
            if isinstance(filled, Fault):
                held[row.key] = filled
            else:
                ready.append(filled)
        return ready, held

    async def _filled(self, row: Pending, faults: dict[type[Event], Fault]) -> Pending | Fault:
        """Of a class in `faults` the registry is not asked again: each of a thousand keys would hold up the others."""
        event = self._events[row.full_name] if row.full_name in self._events else None  # noqa: SIM401  # a lazy catalog has no get
        # The text decides, not the name: after an update the class of this name has another schema and another id.
        try:
            writer = load_headers(row.headers).get(WRITER)
        except ValueError:
            return row  # no record can be made of it, whatever its id: the batch sets it aside
        if event is None or writer != writer_of(event):
            text = f"This program lacks the schema that wrote outbox row {row.position}: run the one that staged it."
            return Fault("SCHEMA_UNKNOWN", text, FaultKind.HELD)
        found = faults.get(event) or await self._schema_id(event)
        if isinstance(found, int):
            return row._replace(payload=with_schema_id(row.payload, found))
        faults[event] = found
        return found

    async def _schema_id(self, event: type[Event]) -> int | Fault:
        if not self._serde.knows(event) and self._clock() < self._ask_at:
            return self._away
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._serde.schema_id(event)
        except SchemaNotRegistered as error:
            return Fault("SCHEMA_NOT_REGISTERED", str(error), FaultKind.HELD)
        except (RegistryUnavailable, TimeoutError) as error:
            told = str(error) or f"The registry did not answer in {ANSWER_SECONDS:g} s."
            self._away, self._ask_at = Fault(REGISTRY_AWAY, told, FaultKind.HELD), self._clock() + AGAIN_SECONDS
            return self._away
