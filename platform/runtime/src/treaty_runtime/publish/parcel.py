"""An event made ready to go: encoded, with its key and its headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from treaty_runtime import hooks as seen
from treaty_runtime.event import Event
from treaty_runtime.hooks import Hooks, Trace
from treaty_runtime.publish.record_key import diagnostic_key, key_of
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire.event_id import new_event_id
from treaty_runtime.wire.headers import dataschema_of, event_headers, source_of
from treaty_runtime.wire.serde import Serde

_ID_BYTES = 10


@dataclass(slots=True, kw_only=True)  # not frozen: one is made per event
class Parcel:
    """What goes out, and what is told about it afterwards."""

    record: Outgoing
    event_id: UUID
    event_type: str
    schema_id: int
    trace: Trace = ()


class Packing:
    """Makes parcels of one service's events. ``entropy(n)`` gives random bytes for event ids, ``trace`` W3C headers."""

    def __init__(
        self,
        serde: Serde,
        *,
        service: str,
        registry_url: str,
        entropy: Callable[[int], bytes],
        now: Callable[[], datetime],
        hooks: Hooks,
        trace: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._trace = trace
        self._serde, self._service, self._registry_url = serde, service, registry_url
        self._entropy, self._now, self._hooks = entropy, now, hooks

    def pack(
        self,
        event: Event,
        *,
        key: str | None = None,
        headers: Mapping[str, bytes] | None = None,
        event_id: UUID | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
    ) -> Parcel:
        """Encodes the event; raises ``EncodeError``, ``Oversize``, ``InvalidKey``, ``InvalidHeaders``."""
        now = self._now()
        identity = event_id if event_id is not None else new_event_id(now, entropy=self._entropy(_ID_BYTES))
        return self._packed(
            event, identity, now, key=key, headers=headers, correlation_id=correlation_id, causation_id=causation_id
        )

    def pack_all(self, events: Sequence[Event]) -> list[Parcel]:
        """The same for events that go out together: they have one time, and their random bytes are drawn at once."""
        now, entropy = self._now(), self._entropy(_ID_BYTES * len(events))
        ids = (
            new_event_id(now, entropy=entropy[start : start + _ID_BYTES]) for start in range(0, len(entropy), _ID_BYTES)
        )
        return [self._packed(event, identity, now) for event, identity in zip(events, ids, strict=True)]

    def _packed(
        self,
        event: Event,
        identity: UUID,
        now: datetime,
        *,
        key: str | None = None,
        headers: Mapping[str, bytes] | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
    ) -> Parcel:
        trace = () if self._trace is None else tuple(self._trace().items())
        encoded = self._serde.encode(event)
        record_key = key_of(event, given=key)
        if record_key is None:
            record_key = diagnostic_key(identity)
            missing = seen.KeyMissing(topic=event.__topic__, event_type=event.__event_type__, event_id=identity)
            self._hooks(missing)
        sealed = event_headers(
            event_id=identity,
            source=source_of(event.__avro_fullname__, self._service),
            type=event.__event_type__,
            time=now,
            subject=record_key,
            dataschema=dataschema_of(self._registry_url, encoded.schema_id),
            correlation_id=correlation_id if correlation_id is not None else identity,
            causation_id=causation_id,
            extra=headers if not trace else {**(headers or {}), **{name: value.encode() for name, value in trace}},
        )
        record = Outgoing(topic=event.__topic__, key=record_key.encode(), value=encoded.value, headers=sealed)
        return Parcel(
            record=record,
            event_id=identity,
            event_type=event.__event_type__,
            schema_id=encoded.schema_id,
            trace=trace,
        )
