"""What operators did, and to what: one compacted topic of the cluster itself, so that every machine and the console see the same.

A note says the last thing that was done to a subject (a dead letter, an outbox row). It is written after the act: killed in between,
the act is done again, and acts are made so that twice is once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from treaty_runtime.admin import Cluster
from treaty_runtime.kafka.log import Log
from treaty_runtime.transport import Outgoing

TOPIC = "_treaty_operations"
"""Begins with `_` as Confluent's `_schemas` does: a topic of the platform, which git does not declare."""

_CONFIG = {"cleanup.policy": "compact"}
_REPLICAS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One act. ``at`` is RFC 3339; ``event`` the event it was about, ``to`` where it went, ``run`` what it was part of."""

    subject: str
    act: str
    by: str
    at: str
    reason: str = ""
    event: str = ""
    to: str = ""
    run: str = ""


class Journal:
    """Reads and writes the notes of one cluster. ``by`` is the operator's name."""

    def __init__(self, log: Log, cluster: Cluster, *, by: str) -> None:
        self._log, self._cluster, self.by = log, cluster, by
        self._is_ready = False

    def notes(self) -> dict[str, Note]:
        """The last note of each subject; what is not a note of ours is left out."""
        found: dict[str, Note] = {}
        for record in self._log.read(self._log.spans([TOPIC])):
            note = read(record.value)
            if note is not None:
                found[note.subject] = note
        return found

    def write(self, subject: str, act: str, *, at: datetime, **told: str) -> Note:
        """Adds a note and waits until all replicas have it."""
        if not self._is_ready:
            self._prepare()
        note = Note(subject=subject, act=act, by=self.by, at=at.isoformat(timespec="milliseconds"), **told)
        value = json.dumps({name: text for name, text in asdict(note).items() if text}, ensure_ascii=False)
        self._log.append(Outgoing(topic=TOPIC, key=subject.encode(), value=value.encode()))
        return note

    def _prepare(self) -> None:
        replicas = min(_REPLICAS, len(self._cluster.brokers()))
        self._cluster.create(TOPIC, partitions=1, replication=replicas, config=_CONFIG)
        self._cluster.await_topics([TOPIC])
        self._is_ready = True


def read(value: bytes | None) -> Note | None:
    """A note from its JSON; None for anything else, as the topic may be written by anybody who is let."""
    try:
        told = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    texts = {name: text for name, text in told.items() if isinstance(text, str)} if isinstance(told, Mapping) else {}
    if not {"subject", "act", "by", "at"} <= texts.keys():
        return None
    return Note(**{field.name: texts.get(field.name, "") for field in fields(Note)})
