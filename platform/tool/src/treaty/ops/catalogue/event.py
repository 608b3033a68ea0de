"""The page of an event or of a shared type."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from treaty.ops.catalogue.example import Sample, example
from treaty.ops.catalogue.fields import Around, anchor, told, types
from treaty.ops.catalogue.frame import facts, page, paragraphs
from treaty.ops.catalogue.history import History
from treaty.ops.catalogue.html import Child, Html, code, el, joined, pre, table
from treaty.ops.catalogue.places import Places
from treaty.ops.catalogue.writers import producers
from treaty_avro import Enum
from treaty_codegen import Topic, publish
from treaty_codegen.catalog import SchemaFile
from treaty_codegen.contract import event_type_of, key_of, subject_of
from treaty_codegen.documents.pages import readers_of
from treaty_codegen.index import SdkIndex
from treaty_codegen.readers import Readers
from treaty_codegen.tags import deprecation


def event_page(
    file: SchemaFile, places: Places, *, history: History, readers: Readers, shown: Sample, sdk: SdkIndex
) -> bytes:
    """What it says, where it goes, what is in it, who reads it, what it was."""
    words, name = places.words, file.full_name
    at = places.paths["events", name]
    root = file.schema.named[name]
    around = Around(places=places, at=at, since=history.since, readers=readers, event=name)
    return page_of(
        file,
        places,
        at,
        [topic_facts(topic, file, places, at) for topic in places.pages.homes.get(name, ())],
        el("h2", words("Fields"), id=anchor(name)),
        types(root, around),
        el("h2", words("Readers")),
        consumers(file, places, at),
        el("h2", words("In Python")),
        pre(snippet(name, sdk)),
        el("h2", words("Example")),
        example(shown, places),
        el("h2", words("Versions")),
        versions(history, places),
        el("h2", words("Schema")),
        schema(file),
    )


def type_page(file: SchemaFile, places: Places, *, readers: Readers) -> bytes:
    """A shared type, and what holds it. Releases hold events: what it was is told on the pages of those."""
    words, name = places.words, file.full_name
    at = places.paths["types", name]
    root = file.schema.named[name]
    users = [places.link("events", user, at=at) for user in places.pages.used_by.get(name, ())]
    around = Around(places=places, at=at, since={}, readers=readers, event=name)
    return page_of(
        file,
        places,
        at,
        facts((words("used in"), joined(users) or words("nothing")), (words("schema file"), code(file.path))),
        el("h2", words("Symbols" if isinstance(root, Enum) else "Fields"), id=anchor(name)),
        types(root, around),
        el("h2", words("Schema")),
        schema(file),
    )


def page_of(file: SchemaFile, places: Places, at: PurePosixPath, *blocks: Child) -> bytes:
    """The page of a schema file: its name, what it says, whether it is to go, and what else is told of it."""
    name = file.full_name
    doc = file.schema.named[name].doc or ""
    return page(places, at, name.rpartition(".")[2], el("p", code(name)), paragraphs(doc), gone(file, places), *blocks)


def gone(file: SchemaFile, places: Places) -> Html | None:
    """That the type is to go."""
    root = file.schema.named[file.full_name]
    said = None if isinstance(root, Enum) else deprecation(root)
    return None if said is None else el("p", el("strong", places.words("Deprecated")), ": ", told(said))


def topic_facts(topic: Topic, file: SchemaFile, places: Places, at: PurePosixPath) -> Html:
    """Where the event goes, and what holds there."""
    words, event = places.words, file.full_name
    key = key_of(topic, event=event)
    return facts(
        (words("topic"), places.link("topics", topic.name, at=at)),
        (words("owner"), topic.owner),
        (words("key"), code(key) if key else words("none: its records have no order")),
        (words("event type"), code(event_type_of(topic, event=event))),
        (words("subject"), code(subject_of(topic, event=event))),
        (words("compatibility"), code(topic.compatibility)),
        (words("written by"), producers(topic, places, at)),
        (words("only in"), joined(map(code, topic.settings_of(event).environments))),
        (words("schema file"), code(file.path)),
    )


def consumers(file: SchemaFile, places: Places, at: PurePosixPath) -> Child:
    """Every consumer group that takes the event, as declared."""
    words, name = places.words, file.full_name
    rows: list[list[Child]] = []
    for topic in places.pages.homes.get(name, ()):
        for each in readers_of(topic, event=name):
            service = places.catalog.services.get(each.service or "")
            owner = each.external or (service.owner if service else "")
            link = places.link("services", each.service, at=at) if each.service else ""
            rows.append([code(each.group), link, owner, ", ".join(each.reads)])
    head = map(words, ("group", "service", "owner", "says that it reads"))
    return table(head, rows) or el("p", words("Nobody reads it yet."))


def snippet(name: str, sdk: SdkIndex) -> str:
    """How a handler of the event begins."""
    own = sdk.types[name]
    return (
        f"from {own.module} import {own.name}\n\n\n"
        f"@handlers.on({own.name})\nasync def handle(event: {own.name}, context: Context) -> None: ..."
    )


def versions(history: History, places: Places) -> Child:
    """What changed at each release, the newest first."""
    words = places.words
    rows: list[list[Child]] = []
    for step in history.steps:
        if step.changes is None:
            what: Child = words("the first")
        else:
            what = el(
                "ul",
                [el("li", code(each.kind), " ", each.path, values(each.before, each.after)) for each in step.changes],
            )
        rows.append([step.release or words("unreleased"), step.contract, what])
    return table(map(words, ("release", "contract", "what changed")), rows) or el("p", words("No release has it yet."))


def values(before: str, after: str) -> str:
    """What was and what is."""
    told = " → ".join(filter(None, (before, after)))
    return f": {told}" if told else ""


def schema(file: SchemaFile) -> Html:
    """The published text, laid out for people."""
    return pre(json.dumps(json.loads(publish(file)), indent=2, ensure_ascii=False))
