"""What of the catalog one environment has: ``environments`` of an event leaves it out of all others. Pure.

A reader stays as long as its topic does: records come to it all the same, and those that cannot be read need their dead letters.
"""

from __future__ import annotations

from dataclasses import replace

from treaty_codegen import Catalog, Topic


def within(catalog: Catalog, environment: str) -> Catalog:
    """The catalog with the events that an environment has, and without the topics of which it has none.

    A topic that declares no events at all, such as one of dead letters, is everywhere.
    """
    topics = {name: replace(topic, events=events_in(topic, environment)) for name, topic in catalog.topics.items()}
    kept = {name: topic for name, topic in topics.items() if topic.events or not catalog.topics[name].events}
    return replace(catalog, topics=kept)


def events_in(topic: Topic, environment: str) -> tuple[str, ...]:
    """The events that a topic carries in an environment."""
    return tuple(
        event for event in topic.events if environment in (topic.settings_of(event).environments or [environment])
    )


def environments(catalog: Catalog) -> set[str]:
    """The environments that any value of ``topics.toml`` names."""
    return {
        name
        for topic in catalog.topics.values()
        for values in (topic.partitions, topic.replication, topic.retention, *topic.config.values())
        for name in values
        if name != "*"
    } | {
        name
        for topic in catalog.topics.values()
        for each in topic.event_settings.values()
        for name in each.environments
    }
