"""Which services of ``topics.toml`` run on this machine: ``[local] services`` names them, ``*`` means all.

A declared service that is not named stays visible: its readers are declared, so whoever changes an event still sees them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from treaty.config import Settings, nearest
from treaty.errors import UsageError
from treaty_codegen import Catalog

ALL = "*"


def started(settings: Settings, *, declared: Iterable[str]) -> tuple[str, ...]:
    """The services that ``treaty up`` starts, in the order of ``declared``.

    Raises ``UsageError`` for a name that ``topics.toml`` does not declare.
    """
    known = tuple(declared)
    chosen = list(map(str, settings.get("local", "services")))
    for name in chosen:
        if name != ALL and name not in known:
            raise UsageError(f"[local] services: topics.toml has no [service.{name}]{nearest(name, known)}")
    return known if ALL in chosen else tuple(name for name in known if name in chosen)


def left_out(settings: Settings, *, declared: Iterable[str]) -> tuple[str, ...]:
    """The declared services that nobody runs here, in the order of ``declared``; raises as ``started`` does."""
    known = tuple(declared)
    running = started(settings, declared=known)
    return tuple(name for name in known if name not in running)


def groups_of(catalog: Catalog, *, without: Collection[str] = ()) -> dict[str, list[str]]:
    """Consumer group to its topics. Groups of one process each (``name-*``) keep no common offsets and are no part of it.

    ``without``: services whose groups have no reader here; they would fall behind for ever.
    """
    found: dict[str, list[str]] = {}
    for topic in catalog.topics.values():
        for consumer in topic.consumers:
            if consumer.service and consumer.service not in without and not consumer.group.endswith("*"):
                found.setdefault(consumer.group, []).append(topic.name)
    return found
