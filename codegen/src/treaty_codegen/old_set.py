"""A side of the past that the schemas of now are compared with: its events, their texts, its topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from treaty_codegen.catalog import Catalog
from treaty_codegen.contract import key_of
from treaty_codegen.publish import publish


@dataclass(frozen=True, slots=True, kw_only=True)
class OldEvent:
    """One event of an old set: its published text, and what ``topics.toml`` said of it then.

    ``version`` is that of its release, ``contract`` the event's own; "" where there is none.
    """

    text: str
    topic: str = ""
    key: str = ""
    level: str = "FULL_TRANSITIVE"
    version: str = ""
    contract: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldTopic:
    """What ``topics.toml`` said of a topic then; values by environment, as ``Topic`` has them. Empty: not known."""

    owner: str = ""
    partitions: Mapping[str, int] = field(default_factory=dict)
    retention: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OldSet:
    """All events at one point of the past, and the topics if they are known; ``label`` names it in findings
    (``release 1.4.0``, ``git main``).
    """

    label: str
    events: Mapping[str, OldEvent]
    topics: Mapping[str, OldTopic] = field(default_factory=dict)


def old_set(catalog: Catalog, *, label: str) -> OldSet:
    """A catalog of the past as an old set."""
    events = {}
    for topic in catalog.topics.values():
        for name in topic.events:
            file = catalog.by_name.get(name)
            if file is not None:
                events[name] = OldEvent(
                    text=publish(file), topic=topic.name, key=key_of(topic, event=name) or "", level=topic.compatibility
                )
    topics = {
        topic.name: OldTopic(owner=topic.owner, partitions=topic.partitions, retention=topic.retention)
        for topic in catalog.topics.values()
    }
    return OldSet(label=label, events=events, topics=topics)
