"""The first page of the catalogue: every topic, event, shared type and owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from treaty_codegen.catalog import SchemaFile
from treaty_codegen.documents.markdown_text import code, plain, table
from treaty_codegen.documents.pages import INDEX, Pages, anchor, page, way


def index_page(pages: Pages) -> bytes:
    """The page, in Markdown; the same for the same catalog."""
    blocks = ["# Events", "What happens, where it is told, and whose it is. Made from the schemas."]
    blocks += _section("Topics", _topics(pages)) if pages.topics else []
    blocks += _section("Events", _events(pages))
    shared = [_shared_row(file, pages) for file in pages.shared()]
    if shared:
        head = ("type", "kind", "what it is", "used in")
        blocks += ["## Shared types", table(head, shared)]
    blocks += _section("Owners", _owners(pages)) if pages.topics else []
    blocks += _section("Removed", _removed(pages)) if pages.catalog.removals else []
    return page(blocks)


def _section(title: str, rows: Iterator[list[str]]) -> list[str]:
    """Rows begin with the head of their table."""
    head, *rest = rows
    return [f"## {title}", table(head, rest)]


def _topics(pages: Pages) -> Iterator[list[str]]:
    yield ["topic", "what is told there", "owner", "events", "readers"]
    for name in pages.topics:
        topic = pages.catalog.topics[name]
        events = ", ".join(pages.event_link(event, at=INDEX) for event in topic.events)
        readers = ", ".join(code(consumer.group) for consumer in topic.consumers)
        yield [pages.topic_link(name, at=INDEX), plain(topic.doc), plain(topic.owner), events, readers]


def _events(pages: Pages) -> Iterator[list[str]]:
    yield ["event", "full name", "topic", "what happened"]
    for name in pages.events:
        file = pages.files[name]
        links = ", ".join(pages.topic_link(topic.name, at=INDEX) for topic in pages.homes.get(name, ()))
        yield [pages.event_link(name, at=INDEX), code(name), links, plain(_doc(file))]


def _shared_row(file: SchemaFile, pages: Pages) -> list[str]:
    users = pages.used_by.get(file.full_name, ())
    name = code(file.full_name)
    if users:
        name = f"[{name}]({way(INDEX, to=pages.events[users[0]])}#{anchor(file.full_name)})"
    return [
        name,
        file.schema.root.kind,
        plain(_doc(file)),
        ", ".join(pages.event_link(user, at=INDEX) for user in users),
    ]


def _owners(pages: Pages) -> Iterator[list[str]]:
    yield ["owner", "topics", "services"]
    topics: dict[str, list[str]] = defaultdict(list)
    services: dict[str, list[str]] = defaultdict(list)
    for name in pages.topics:
        topics[pages.catalog.topics[name].owner].append(pages.topic_link(name, at=INDEX))
    for service in sorted(pages.catalog.services.values(), key=lambda each: each.name):
        services[service.owner].append(code(service.name))
    for owner in sorted({*topics, *services}):
        yield [plain(owner), ", ".join(topics[owner]), ", ".join(services[owner])]


def _removed(pages: Pages) -> Iterator[list[str]]:
    yield ["what", "from topic", "why", "gone after"]
    for removal in pages.catalog.removals:
        name = removal.event or removal.type
        what, topic = code(name) if name else "the whole topic", code(removal.topic) if removal.topic else ""
        yield [what, topic, plain(removal.reason), str(removal.soft_after or "")]


def _doc(file: SchemaFile) -> str:
    return getattr(file.schema.root, "doc", "") or ""
