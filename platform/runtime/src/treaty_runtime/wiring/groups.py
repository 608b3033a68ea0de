"""Which groups a process runs, from what the code declares and the environment overrides. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from treaty_runtime.errors import DuplicateGroup, UndeclaredTopic
from treaty_runtime.handlers import Group
from treaty_runtime.settings import KafkaSettings


def chosen_groups(groups: Sequence[Group], settings: KafkaSettings) -> tuple[Group, ...]:
    """The groups to run: KAFKA_CONSUMER_GROUP renames the first, KAFKA_TOPICS leaves only some topics.

    A group that has none of these topics does not run. Raises DuplicateGroup, UndeclaredTopic.
    """
    names = [group.name for group in groups]
    if len(set(names)) < len(names):
        raise DuplicateGroup(f"Two groups have the name {_first_double(names)}: rename one.")
    if settings.topics:
        groups = _narrowed(groups, settings.topics)
    if settings.consumer_group is None or not groups:
        return tuple(groups)
    if settings.consumer_group in names[1:]:
        raise DuplicateGroup(f"KAFKA_CONSUMER_GROUP: another group is called {settings.consumer_group} already.")
    return (replace(groups[0], name=settings.consumer_group), *groups[1:])


def _narrowed(groups: Sequence[Group], topics: Sequence[str]) -> list[Group]:
    declared = {topic for group in groups for topic in group.sources}
    unknown = sorted(set(topics) - declared)
    if unknown:
        raise UndeclaredTopic(
            f"KAFKA_TOPICS: no handler for {', '.join(unknown)}; use some of {', '.join(sorted(declared))}."
        )
    narrowed = ((group, tuple(topic for topic in group.sources if topic in topics)) for group in groups)
    return [replace(group, topics=left) for group, left in narrowed if left]


def _first_double(names: Sequence[str]) -> str:
    return next(name for position, name in enumerate(names) if name in names[:position])
