"""The page of one topic: how its records are kept, what is on it, who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from treaty_codegen.catalog import Consumer, Topic
from treaty_codegen.contract import event_type_of, key_of
from treaty_codegen.documents.environments import by_environment
from treaty_codegen.documents.event_page import producers, reader_of
from treaty_codegen.documents.markdown_text import code, facts, paragraphs, plain, table
from treaty_codegen.documents.pages import Pages, page

_SUBJECTS: Final = {
    "topic-record": "topic and record: each event has its own line of versions on this topic",
    "record": "record: an event has one line of versions on all topics",
    "topic": "topic: its only event",
}


def topic_page(topic: Topic, *, pages: Pages) -> bytes:
    """The page, in Markdown; the same for the same catalog."""
    blocks = [f"# {code(topic.name)}", *paragraphs(topic.doc), facts(list(_facts(topic)))]
    blocks += ["## Events", *_events(topic, pages), "## Readers", *_readers(topic, pages)]
    return page(blocks)


def _facts(topic: Topic) -> Iterator[list[str]]:
    yield ["owner", plain(topic.owner)]
    yield ["written by", producers(topic)]
    yield ["key", code(topic.key) if topic.key else "none: records have no order"]
    yield ["subjects are named by", _SUBJECTS[topic.subject]]
    yield ["compatibility", code(topic.compatibility)]
    yield ["partitions", by_environment(topic.partitions, shown=str, named=plain)]
    yield ["replicas", by_environment(topic.replication, shown=str, named=plain)]
    yield ["kept for", by_environment(topic.retention, shown=_duration, named=plain)]
    yield ["cleanup", code(topic.cleanup)]
    yield from (
        [code(name), by_environment(values, shown=code, named=plain)] for name, values in sorted(topic.config.items())
    )
    yield ["personal data allowed", ", ".join(map(plain, topic.pii)) or "none"]


def _events(topic: Topic, pages: Pages) -> Iterator[str]:
    at = pages.topics[topic.name]
    rows = []
    for event in topic.events:
        own = key_of(topic, event=event)
        rows.append(
            [
                pages.event_link(event, at=at),
                code(event_type_of(topic, event=event)),
                code(own) if own and own != topic.key else "",
                plain(getattr(pages.files[event].schema.root, "doc", "") or ""),
            ]
        )
    head = ("event", "event type", "its own key", "what happened")
    yield table(head, rows, may_drop=("its own key",)) if rows else "None yet."


def _readers(topic: Topic, pages: Pages) -> Iterator[str]:
    at = pages.topics[topic.name]
    rows = []
    for consumer in topic.consumers:
        name, owner = reader_of(consumer, catalog=pages.catalog)
        events = ", ".join(pages.event_link(event, at=at) for event in consumer.events) or "all"
        rows.append([code(consumer.group), name, owner, events, _failures(consumer, pages)])
    head = ("group", "service", "owner", "events", "what fails")
    yield table(head, rows, may_drop=("service", head[-1])) if rows else "Nobody reads this topic."


def _failures(consumer: Consumer, pages: Pages) -> str:
    service = pages.catalog.services.get(consumer.service or "")
    if service is None:
        return ""
    if consumer.group.endswith("-*"):
        return "blocks: each process has a group of its own, and those have no retry topics"
    return f"is tried again after {', '.join(map(plain, service.retry))}, then goes to {code(service.dead_letter)}"


def _duration(value: timedelta) -> str:
    """In the largest unit that gives a whole number."""
    seconds = value // timedelta(seconds=1)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}{'' if seconds == size else 's'}"
    return f"{seconds} seconds"
