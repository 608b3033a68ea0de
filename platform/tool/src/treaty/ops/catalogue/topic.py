"""The page of a topic, and that of a service."""

from __future__ import annotations

from treaty.ops.catalogue.frame import facts, page, paragraphs
from treaty.ops.catalogue.html import Child, code, el, joined, table
from treaty.ops.catalogue.places import Places, simple
from treaty.ops.catalogue.writers import producers
from treaty_codegen import Topic
from treaty_codegen.documents.environments import by_environment
from treaty_codegen.quantities import span


def topic_page(topic: Topic, places: Places) -> bytes:
    """What is told there, who writes and reads, how it is kept."""
    words, at = places.words, places.paths["topics", topic.name]
    rows: list[list[Child]] = []
    for each in topic.consumers:
        link = places.link("services", each.service, at=at) if each.service else each.external or ""
        events = joined(places.link("events", name, at=at, text=simple(name)) for name in each.events)
        rows.append([code(each.group), link, events or words("all")])
    return page(
        places,
        at,
        topic.name,
        paragraphs(topic.doc),
        facts(
            (words("owner"), topic.owner),
            (words("key"), code(topic.key) if topic.key else words("none: its records have no order")),
            (words("compatibility"), code(topic.compatibility)),
            (words("written by"), producers(topic, places, at)),
            (words("personal data"), ", ".join(topic.pii)),
            (words("partitions"), by_environment(topic.partitions, shown=str)),
            (words("replication"), by_environment(topic.replication, shown=str)),
            (words("retention"), by_environment(topic.retention, shown=span)),
            (words("cleanup"), code(topic.cleanup)),
        ),
        el("h2", words("Events")),
        el("ul", [el("li", places.link("events", name, at=at)) for name in topic.events]),
        el("h2", words("Readers")),
        table(map(words, ("group", "service", "events")), rows) or el("p", words("Nobody reads it yet.")),
    )


def service_page(name: str, places: Places) -> bytes:
    """What a service writes and reads."""
    words, at = places.words, places.paths["services", name]
    service, topics = places.catalog.services.get(name), places.catalog.topics.values()
    writes = [el("li", places.link("topics", topic.name, at=at)) for topic in topics if name in topic.producers]
    reads: list[list[Child]] = [
        [
            places.link("topics", topic.name, at=at),
            code(each.group),
            joined(places.link("events", event, at=at, text=simple(event)) for event in each.events or topic.events),
        ]
        for topic in topics
        for each in topic.consumers
        if each.service == name
    ]
    return page(
        places,
        at,
        name,
        facts(
            (words("owner"), service.owner if service else ""),
            (words("code"), code(service.code) if service else None),
            (words("retries after"), ", ".join(service.retry) if service else ""),
            (words("dead letters"), places.link("topics", service.dead_letter, at=at) if service else None),
        ),
        el("h2", words("Writes")),
        el("ul", writes) if writes else el("p", words("nothing")),
        el("h2", words("Reads")),
        table(map(words, ("topic", "group", "events")), reads) or el("p", words("nothing")),
    )
