"""The page of one event: what it says, where it goes, what is in it, who reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from treaty_codegen.catalog import Catalog, Consumer, SchemaFile, Topic
from treaty_codegen.contract import event_type_of, key_of, subject_of
from treaty_codegen.documents.examples import Examples
from treaty_codegen.documents.markdown_text import code, facts, fence, paragraphs, plain, table
from treaty_codegen.documents.pages import Pages, page, readers_of
from treaty_codegen.documents.type_page import inner_types, type_table
from treaty_codegen.publish import publish


def event_page(file: SchemaFile, *, pages: Pages, examples: Examples) -> bytes:
    """The page, in Markdown; the same for the same catalog."""
    root, at = file.schema.root, pages.events[file.full_name]
    blocks = [
        f"# {file.full_name.rpartition('.')[2]}",
        code(file.full_name),
        *paragraphs(getattr(root, "doc", "") or ""),
    ]
    topics = pages.homes.get(file.full_name, ())
    blocks += [_facts(topic, file=file, at=at, pages=pages) for topic in topics]
    # A topic lists full names of files, and those have named types only.
    top = file.schema.named[file.full_name]
    blocks += ["## Fields", *type_table(top, root=top)]
    inside = list(inner_types(top))
    blocks += ["## Types", *inside] if inside else []
    blocks += _readers(file, topics=topics, catalog=pages.catalog)
    blocks += [
        "## Example",
        *_example(examples.of(file)),
        "## Schema",
        "As it is registered:",
        fence(publish(file), language="json"),
    ]
    return page(blocks, source=file.path)


def _facts(topic: Topic, *, file: SchemaFile, at: PurePosixPath, pages: Pages) -> str:
    event = file.full_name
    key = key_of(topic, event=event)
    environments = topic.settings_of(event).environments
    rows = [
        ["topic", pages.topic_link(topic.name, at=at)],
        ["owner", plain(topic.owner)],
        ["key", code(key) if key else "none: its records have no order"],
        ["event type", code(event_type_of(topic, event=event))],
        ["subject", code(subject_of(topic, event=event))],
        ["compatibility", code(topic.compatibility)],
        ["written by", producers(topic)],
        *([["only in", ", ".join(map(code, environments))]] if environments else []),
        ["schema file", code(file.path)],
    ]
    return facts(rows)


def producers(topic: Topic) -> str:
    """Who writes to a topic, in Markdown."""
    return "anybody" if "*" in topic.producers else ", ".join(map(code, topic.producers)) or "nobody"


def reader_of(consumer: Consumer, *, catalog: Catalog) -> tuple[str, str]:
    """A consumer's service and owner, in Markdown; one outside this repository has an owner only."""
    service = catalog.services.get(consumer.service or "")
    owner = consumer.external if consumer.external is not None else service.owner if service is not None else ""
    return code(consumer.service or ""), plain(owner)


def _readers(file: SchemaFile, *, topics: Sequence[Topic], catalog: Catalog) -> Iterator[str]:
    rows = []
    for topic in topics:
        for consumer in readers_of(topic, event=file.full_name):
            service, owner = reader_of(consumer, catalog=catalog)
            read = _fields_read(consumer, event=file.full_name)
            rows.append([code(topic.name) if len(topics) > 1 else "", code(consumer.group), service, owner, read])
    if topics:
        yield "## Readers"
        head = ("topic", "group", "service", "owner", "reads")
        yield table(head, rows, may_drop=("topic", "service", "reads")) if rows else "Nobody reads it yet."


def _fields_read(consumer: Consumer, *, event: str) -> str:
    """What an outside reader says it reads of this event; services' code is not looked at here."""
    names = (event, event.rpartition(".")[2])
    own = [field for name in names for read in consumer.reads for field in _below(read, name)]
    return ", ".join("everything" if field == "*" else code(field) for field in own)


def _below(read: str, name: str) -> Iterator[str]:
    if read.startswith(f"{name}."):
        yield read.removeprefix(f"{name}.")


def _example(text: str | None) -> Iterator[str]:
    if text is None:
        yield "There is none: the smallest value has no end, or is too large for a page."
    else:
        yield "Made up, in the plain style of `treaty_avro.to_json`:"
        yield fence(text, language="json")
