"""A test event through a real topic: made from the registered schema, published, and read back from where it lies.

A topic has a test event if one of its events is named ``TestEvent``: it says that it has no effect on anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from treaty.errors import TreatyError, UsageError
from treaty.ops.dead_letters.body import decoded, frame
from treaty.ops.registered import Registered
from treaty_avro import AvroError, compile_generic, from_json
from treaty_codegen import Catalog, event_type_of, subject_of
from treaty_runtime.event import Place
from treaty_runtime.kafka.log import Log
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire.headers import ID, event_headers, first_values, source_of

NAME = "TestEvent"


class NotReadBack(TreatyError):
    """The test event was acknowledged and is not there."""

    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A test event that was read back."""

    place: Place
    key: str
    event_id: UUID
    event_type: str
    schema_id: int
    event: Any


def publish_test(
    topic: str, catalog: Catalog, *, registered: Registered, log: Log, event_id: UUID, now: datetime, note: str
) -> Published:
    """Publishes a test event and reads it back.

    Raises ``UsageError`` for a topic without one or a subject that is not registered, ``NotReadBack``, and Kafka's faults.
    """
    declared = catalog.topics.get(topic)
    name = next((each for each in declared.events if each.rpartition(".")[2] == NAME), None) if declared else None
    if declared is None or name is None:
        have = [
            each.name for each in catalog.topics.values() if any(event.endswith(f".{NAME}") for event in each.events)
        ]
        raise UsageError(f"{topic} has no {NAME}; these topics have one: {', '.join(have) or 'none'}.")
    version = registered.newest(subject_of(declared, event=name))
    if version is None:
        raise UsageError(f"{name} is not registered.", next_step="treaty registry plan")
    key, event_type = f"diag-{event_id}", event_type_of(declared, event=name)
    values = {"test_id": key, "sent_from": "cli", "event_time": now.isoformat(), "note": note, "operator": None}
    try:
        encode, _ = compile_generic(version.schema)
        value = frame(version.schema_id, encode(from_json(version.schema, json.dumps(values), style="plain")))
    except AvroError as error:
        raise UsageError(f"{name} asks for more than a test knows: {error}") from error
    headers = event_headers(
        event_id=event_id, source=source_of(name, "treaty"), type=event_type, time=now, subject=key, dataschema=None,
        correlation_id=event_id,
    )  # fmt: skip
    place = log.append(Outgoing(topic=topic, key=key.encode(), value=value, headers=headers))
    read = next(log.read({place.of: (place.offset, place.offset + 1)}), None)
    if read is None or first_values(read.headers).get(ID) != str(event_id).encode() or read.value is None:
        raise NotReadBack(f"{place.topic}/{place.partition}/{place.offset} holds something else.")
    event = decoded(read.value, version.schema)
    return Published(
        place=place, key=key, event_id=event_id, event_type=event_type, schema_id=version.schema_id, event=event
    )
