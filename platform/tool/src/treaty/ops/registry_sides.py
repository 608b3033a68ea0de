"""A registry as the old side of a check: every live version of each event's subject, and its own verdict on the new text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from treaty.ops.contents import contents, levels, together
from treaty.ops.contents import observed as seen_of
from treaty.ops.http import RegistryHttp
from treaty.ops.plan.registry import Observed, Wanted, desired, incompatible
from treaty_avro import Level
from treaty_codegen import Catalog
from treaty_codegen.breaking.registry_disagrees import TwoVerdicts
from treaty_codegen.contract import key_of
from treaty_codegen.old_set import OldEvent, OldSet


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySide:
    """What a registry holds of the events that git knows, by subject, and under which name it is told."""

    label: str
    wanted: tuple[Wanted, ...]
    observed: dict[str, Observed]


def look(catalog: Catalog, registry: RegistryHttp, *, environment: str) -> RegistrySide:
    """Asks for every version of every subject that git declares in ``environment``; only reads."""
    wanted = desired(catalog, environment=environment)
    held, own = contents(registry), levels(registry, (row.subject for row in wanted))
    observed = {name: seen_of(held.get(name, {}), level=level) for name, level in own.items()}
    return RegistrySide(label=f"registry {environment}", wanted=wanted, observed=observed)


def old_sets(side: RegistrySide, catalog: Catalog) -> list[OldSet]:
    """One set for each version number, newest first. What a registry does not know of an event is taken as it is today."""
    numbers = sorted({n for seen in side.observed.values() for n in seen.versions}, reverse=True)
    return [OldSet(label=f"{side.label} v{n}", events=dict(events_at(side, catalog, n))) for n in numbers]


def events_at(side: RegistrySide, catalog: Catalog, number: int) -> Iterator[tuple[str, OldEvent]]:
    for row in side.wanted:
        seen = side.observed[row.subject]
        topic = catalog.topic_of(row.event)
        if number in seen.versions and topic is not None:
            yield (
                row.event,
                OldEvent(
                    text=seen.versions[number],
                    topic=topic.name,
                    key=key_of(topic, event=row.event) or "",
                    level=seen.level or row.level,
                ),
            )


def verdicts(side: RegistrySide, registry: RegistryHttp) -> Iterator[TwoVerdicts]:
    """The registry's answer on each new text, beside ours at the level that the registry has for the subject."""
    asked = {row.subject: row.text for row in side.wanted if side.observed[row.subject].versions}
    theirs = together(lambda name: registry.objections(name, asked[name]), asked)
    for row in side.wanted:
        seen = side.observed[row.subject]
        if not seen.versions:
            continue
        level = seen.level or row.level
        judged = Wanted(subject=row.subject, event=row.event, text=row.text, level=cast("Level", level))
        yield TwoVerdicts(
            event=row.event,
            subject=row.subject,
            registry=side.label,
            level=level,
            ours=tuple(message for blocked in incompatible(judged, seen) for message in blocked.messages),
            theirs=theirs[row.subject],
        )
