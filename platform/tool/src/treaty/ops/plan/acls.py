"""Rights on a cluster, the least that ``topics.toml`` needs: who writes where, who reads what as which group. Pure.

Laws: only principals of git's own services are given or lose anything; what others may do to git's topics is told, never
changed; rights are given before others are taken, so that no moment has less than both sides of a change need.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from treaty.errors import UsageError
from treaty.ops.plan import Drift
from treaty.ops.plan.topics import readers
from treaty_codegen import Catalog, Topic
from treaty_codegen.catalog import ANYBODY
from treaty_runtime.control import TOPIC as CONTROL
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.rights import Right

READ: Final = ("DESCRIBE", "READ")
WRITE: Final = ("DESCRIBE", "WRITE")
BOTH: Final = ("DESCRIBE", "READ", "WRITE")

Row = tuple[str, str, Any, Any]


def principal_of(service: str, *, namespace: str) -> str:
    """The name under which a service comes: ``User:mall-order``."""
    return f"User:{namespace}-{service}" if namespace else f"User:{service}"


def desired(catalog: Catalog, *, namespace: str, services: Collection[str] = ()) -> frozenset[Right]:
    """What every declared service needs, and nothing else. Readers outside the repository have no name here.

    ``services``: who else is git's own, though the catalog gives them no work: they run, and keep no right that they had before.
    """
    refuse_what_covers_others(catalog)
    found: set[Right] = set()
    for service in sorted({*catalog.service_names, *services}):
        who = principal_of(service, namespace=namespace)
        for kind, name, operations in needs(catalog, service):
            pattern = "PREFIXED" if name.endswith("*") else "LITERAL"
            found |= {
                Right(principal=who, resource=kind, name=name.removesuffix("*"), pattern=pattern, operation=operation)
                for operation in operations
            }
    return frozenset(found)


def refuse_what_covers_others(catalog: Catalog) -> None:
    """Raises ``UsageError`` for names under which a right by prefix would be one to what belongs to others."""
    writers = {each for topic in catalog.topics.values() for each in topic.producers}
    if ANYBODY in writers:
        writers |= {*catalog.services}
    for short, long in ((short, long) for short in writers for long in writers if long.startswith(f"{short}-")):
        raise UsageError(
            f"The rights of service {short} to its relay's names would cover those of {long}.",
            next_step="rename one of them, or take `acl` out of [environment.NAME]",
        )
    for name, topic in catalog.topics.items():
        if any(reader.service and reader.group == ANYBODY for reader in topic.consumers):
            raise UsageError(
                f"A consumer group of {name} is called {ANYBODY}: its right would be one to every group.",
                next_step="begin the name with what its groups have in common",
            )


def needs(catalog: Catalog, service: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Kind of resource, name (``*`` at the end: all that begin so) and operations. Twice the same name does no harm."""
    yield "TOPIC", CONTROL, BOTH
    written = [topic.name for topic in catalog.topics.values() if {service, ANYBODY} & {*topic.producers}]
    yield from (("TOPIC", name, WRITE) for name in written)
    if written:
        # A relay that the broker fences notes what it sent as the offsets of a group with its transactional id's name.
        yield "TRANSACTIONAL_ID", f"treaty-outbox-{service}-*", WRITE
        yield "GROUP", f"treaty-outbox-{service}-*", READ
    for topic in catalog.topics.values():
        yield from reading(topic, catalog, service)


def reading(topic: Topic, catalog: Catalog, service: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What a service needs for one topic that it reads: the group, and the topics that failures go to."""
    own = catalog.services.get(service)
    for reader in readers(topic, service):
        yield "TOPIC", topic.name, READ
        yield "GROUP", reader.group, READ
        if own is not None:
            yield "TOPIC", own.dead_letter, BOTH
            retries = () if reader.group.endswith("*") else RetryPolicy(delays=own.retry).topics(reader.group)
            yield from (("TOPIC", name, BOTH) for name in retries)


def changes(wanted: Collection[Right], actual: Collection[Right]) -> tuple[list[Row], list[Row]]:
    """Steps that give what is missing, and those that take what git's own principals have without need."""
    own = {right.principal for right in wanted}
    missing = {*wanted} - {*actual}
    needless = {right for right in actual if right.principal in own and right not in wanted and right.is_allowed}
    give = [("allow", told, None, body) for told, body in grouped(missing)]
    take = [("disallow", told, body, None) for told, body in grouped(needless)]
    return give, take


def grouped(rights: Iterable[Right]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rights by who and what, each with all its operations, as a step's subject and body."""
    for (who, kind, name, pattern, host), rows in groupby(sorted(rights), key=lambda each: each.where):
        mark = "*" if pattern == "PREFIXED" else ""
        body = {"principal": who, "resource": kind, "name": name, "pattern": pattern, "host": host}
        yield (
            f"{who} {kind.lower().replace('_', '-')} {name}{mark}",
            {**body, "operations": [r.operation for r in rows]},
        )


def rights_in(body: Mapping[str, Any]) -> list[Right]:
    """The rights of a step's body."""
    shared = {key: body[key] for key in ("principal", "resource", "name", "pattern", "host")}
    return [Right(**shared, operation=operation) for operation in body["operations"]]


def drift(wanted: Collection[Right], actual: Iterable[Right], *, topics: Collection[str]) -> Iterator[Drift]:
    """What others may do to git's topics, and what is refused to git's own services: no step mends it."""
    own = {right.principal for right in wanted}
    for right in sorted(actual):
        if right.principal in own:
            if not right.is_allowed:
                yield Drift(subject=right.principal, what=f"is refused {right.told}: git never refuses, look who did")
        elif right.is_allowed and right.resource == "TOPIC" and any(right.covers(name) for name in topics):
            yield Drift(subject=right.principal, what=f"may {right.told}, but git names no such service")
