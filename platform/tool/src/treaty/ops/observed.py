"""Who reads what, as running services count it: the records that each consumer group finished, by event.

The counters are those that every service shows at ``/metrics`` anyway; nothing is measured for this, and nobody is asked unless
a person hands their texts in. Which fields a handler looked at is counted nowhere: the code says so (``readers``).
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple

from treaty.errors import EnvironmentFault, UsageError
from treaty_codegen import Catalog
from treaty_codegen.catalog import Consumer
from treaty_codegen.contract import event_type_of

METRIC: Final = "kafka_consumer_messages_total"

Kind = Literal["observed", "undeclared", "silent"]
"""A declared reader with records; one that nobody declared; a declared one of a service that counts, without any."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Observed:
    """Records of one event (full name) that one consumer group finished since its process began, failed attempts too."""

    event: str
    service: str
    group: str
    kind: Kind
    records: int


class Reading(NamedTuple):
    """Who counted, and what."""

    service: str
    group: str
    event: str


def observed(catalog: Catalog, texts: Iterable[str]) -> list[Observed]:
    """What the texts of several processes come to, held against ``topics.toml``; sorted by event. The same text twice is one.

    Raises ``UsageError`` for a text that is not in Prometheus' format, ``EnvironmentFault`` without the library that reads it.
    """
    counts = counted(catalog, different(texts))
    counting = {each.service for each in counts}
    found = [
        Observed(
            **reading._asdict(), records=records, kind="observed" if is_declared(catalog, reading) else "undeclared"
        )
        for reading, records in counts.items()
        if records
    ]
    silent = [
        Observed(event=event, service=consumer.service or "", group=consumer.group, kind="silent", records=0)
        for event, consumer in declared(catalog)
        if consumer.service and consumer.service in counting and not any(reads(consumer, event, each) for each in found)
    ]
    return sorted([*found, *silent])


def counted(catalog: Catalog, texts: Iterable[str]) -> Mapping[Reading, int]:
    """Sums by reader and event over all texts; a type that no topic carries stays as it was counted, with its topic."""
    names = {
        (topic.name, event_type_of(topic, event=event)): event
        for topic in catalog.topics.values()
        for event in topic.events
    }
    counts: Counter[Reading] = Counter()
    for text in texts:
        for labels, value in samples(text):
            topic, kind = labels.get("topic", ""), labels.get("event_type", "")
            event = names.get((topic, kind)) or only(names, kind) or f"{topic} {kind}"
            counts[Reading(labels.get("service", ""), labels.get("consumergroup", ""), event)] += int(value)
    return counts


def different(texts: Iterable[str]) -> Iterator[str]:
    """Each text once: two processes measured different times, the same file given twice did not."""
    seen: set[bytes] = set()
    for text in texts:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        if digest not in seen:
            seen.add(digest)
            yield text


def only(names: Mapping[tuple[str, str], str], kind: str) -> str | None:
    """The one event of a type, whatever its topic: a record that was tried again came by a retry topic."""
    found = {event for (_, each), event in names.items() if each == kind}
    return found.pop() if len(found) == 1 else None


def samples(text: str) -> Iterator[tuple[Mapping[str, str], float]]:
    """Labels and value of each series of the counter. Raises ``UsageError`` for a text that describes no metric at all."""
    try:
        from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  # an extra's
    except ImportError as error:
        raise EnvironmentFault("Metrics cannot be read.", next_step="pip install 'treaty[registry]'") from error
    try:
        families = list(text_string_to_metric_families(text))
    except (ValueError, IndexError, KeyError) as error:
        raise not_counted() from error
    found = [sample for family in families for sample in family.samples if sample.name == METRIC]
    if not families or not all(is_count(sample.value) for sample in found):
        raise not_counted()
    yield from ((sample.labels, sample.value) for sample in found)


def is_count(value: float) -> bool:
    return math.isfinite(value) and value >= 0


def not_counted() -> UsageError:
    return UsageError(
        "This is not what a service counts, in Prometheus' text format.",
        next_step="curl -s http://SERVICE/metrics | treaty readers --observed -",
    )


def declared(catalog: Catalog) -> Iterator[tuple[str, Consumer]]:
    """Each event with each consumer that gets it; one of others, ``external``, names no service."""
    for topic in catalog.topics.values():
        for consumer in topic.consumers:
            yield from ((event, consumer) for event in consumer.events or topic.events)


def is_declared(catalog: Catalog, reading: Reading) -> bool:
    return any(reads(consumer, event, reading) for event, consumer in declared(catalog))


def reads(consumer: Consumer, event: str, seen: Reading | Observed) -> bool:
    """Whether what was seen is this consumer's; a group ``name-*`` is each process's own, others may call themselves anything."""
    is_theirs = consumer.service is None or seen.service == consumer.service
    return seen.event == event and is_theirs and fnmatchcase(seen.group, consumer.group)
