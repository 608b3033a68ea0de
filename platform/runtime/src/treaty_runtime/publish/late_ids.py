"""Schema ids for rows that were staged while the registry was away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from treaty_runtime.errors import SchemaNotRegistered
from treaty_runtime.event import Event
from treaty_runtime.publish.backlog import Pending
from treaty_runtime.publish.outbox_headers import WRITER, load_headers, writer_of
from treaty_runtime.transport import Fault, FaultKind
from treaty_runtime.wire.serde import UNKNOWN_ID, Serde, frame, with_schema_id

_UNKNOWN = frame(UNKNOWN_ID)


class LateIds:
    """Fills ids in, for the classes this program has (`events`: full name to class)."""

    def __init__(self, serde: Serde, events: Mapping[str, type[Event]]) -> None:
        self._serde, self._events = serde, events

    async def fill(self, rows: Sequence[Pending]) -> tuple[Sequence[Pending], dict[str, Fault]]:
        """The rows that can be sent, and for each key that cannot the reason; later rows of such a key are left out too.

        Raises RegistryUnavailable if the registry is needed and away.
        """
        if not any(row.payload.startswith(_UNKNOWN) for row in rows):
            return rows, {}
        ready: list[Pending] = []
        held: dict[str, Fault] = {}
        unregistered: dict[type[Event], Fault] = {}
        for row in rows:
            if row.key in held:
                continue
            filled = row if not row.payload.startswith(_UNKNOWN) else await self._filled(row, unregistered)
            if isinstance(filled, Fault):
                held[row.key] = filled
            else:
                ready.append(filled)
        return ready, held

    async def _filled(self, row: Pending, unregistered: dict[type[Event], Fault]) -> Pending | Fault:
        """Of a class that is `unregistered` the registry is not asked again: each of a thousand keys would hold up the others."""
        event = self._events[row.full_name] if row.full_name in self._events else None  # noqa: SIM401  # a lazy catalog has no get
        # The text decides, not the name: after an update the class of this name has another schema and another id.
        try:
            writer = load_headers(row.headers).get(WRITER)
        except ValueError:
            return row  # no record can be made of it, whatever its id: the batch sets it aside
        if event is None or writer != writer_of(event):
            text = f"This program lacks the schema that wrote outbox row {row.position}: run the one that staged it."
            return Fault("SCHEMA_UNKNOWN", text, FaultKind.HELD)
        if event in unregistered:
            return unregistered[event]
        try:
            return row._replace(payload=with_schema_id(row.payload, await self._serde.schema_id(event)))
        except SchemaNotRegistered as error:
            fault = unregistered[event] = Fault("SCHEMA_NOT_REGISTERED", str(error), FaultKind.HELD)
            return fault
