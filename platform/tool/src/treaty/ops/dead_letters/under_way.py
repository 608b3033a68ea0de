"""Replayed events that a group has not finished: they lie in its retry topics, at or after what it has committed there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from treaty.ops.dead_letters.letter import letter_of
from treaty_runtime.errors import InvalidSettings
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.retry import parse_duration, retry_topic


class Connected(Protocol):
    """What is asked: groups and records of a cluster."""

    @property
    def log(self) -> Log: ...
    @property
    def groups(self) -> Groups: ...


def under_way(group: str, connected: Connected) -> Iterator[str]:
    """Identities of replayed events that wait for, or are in, an attempt of ``group``.

    Shortest delays first: an event only ever moves on to a longer one, so none slips through between two looks.
    """
    prefix = retry_topic(group, delay="")
    waits = {name: _seconds(name.removeprefix(prefix)) for name in connected.log.topics() if name.startswith(prefix)}
    for topic in sorted(
        (name for name, wait in waits.items() if wait is not None), key=lambda name: waits[name] or 0.0
    ):
        spans = connected.log.spans([topic])
        done = connected.groups.committed(group, spans)
        left = {partition: (max(start, done.get(partition, start)), end) for partition, (start, end) in spans.items()}
        for record in connected.log.read(left):
            letter = letter_of(record)
            if letter.replay_id is not None:
                yield letter.identity


def _seconds(text: str) -> float | None:
    """A delay from the end of a topic's name; None if the topic is another group's (`retry.a.b.10s` is no topic of `a`)."""
    try:
        return parse_duration(text).total_seconds()
    except InvalidSettings:
        return None
