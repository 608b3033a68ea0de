"""Which pages the catalogue in Markdown has, and how they lead to one another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from treaty_avro import Record
from treaty_codegen.catalog import Catalog, Consumer, SchemaFile, Topic
from treaty_codegen.documents.markdown_text import code
from treaty_codegen.lines import MARK, header
from treaty_codegen.names import DEVICES
from treaty_codegen.reach import named_within

INDEX: Final = PurePosixPath("index.md")

_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one catalog.

    ``files``: by full name; ``events`` and ``topics``: path of each page; ``used_by``: the events that contain a type;
    ``homes``: the topics that list an event.
    """

    catalog: Catalog
    files: Mapping[str, SchemaFile]
    events: Mapping[str, PurePosixPath]
    topics: Mapping[str, PurePosixPath]
    used_by: Mapping[str, tuple[str, ...]]
    homes: Mapping[str, tuple[Topic, ...]]

    @classmethod
    def of(cls, catalog: Catalog) -> Pages:
        """Events are the records that a topic lists, or, where nothing is said of topics, every top-level record."""
        files = catalog.by_name
        homes: dict[str, list[Topic]] = {}
        for topic in catalog.topics.values():
            for event in topic.events:
                homes.setdefault(event, []).append(topic)
        events = sorted(
            name
            for name, file in files.items()
            if name in homes or (not catalog.topics and isinstance(file.schema.root, Record))
        )
        used_by: dict[str, list[str]] = {}
        for event in events:
            for name in named_within(files[event].schema.root):
                used_by.setdefault(name, []).append(event)
        return cls(
            catalog,
            files,
            events=_paths("events", events),
            topics=_paths("topics", sorted(catalog.topics)),
            used_by={name: tuple(users) for name, users in used_by.items()},
            homes={event: tuple(topics) for event, topics in homes.items()},
        )

    def shared(self) -> Iterator[SchemaFile]:
        """Files that define no event, sorted by full name."""
        return (self.files[name] for name in sorted(self.files) if name not in self.events)

    def event_link(self, event: str, *, at: PurePosixPath) -> str:
        """A link to an event from the page at ``at``."""
        return f"[{code(event.rpartition('.')[2])}]({way(at, to=self.events[event])})"

    def topic_link(self, topic: str, *, at: PurePosixPath) -> str:
        """A link to a topic from the page at ``at``."""
        return f"[{code(topic)}]({way(at, to=self.topics[topic])})"


def readers_of(topic: Topic, *, event: str) -> Iterator[Consumer]:
    """The consumers of a topic that take an event (full name)."""
    return (each for each in topic.consumers if not each.events or event in each.events)


def way(start: PurePosixPath, *, to: PurePosixPath) -> str:
    """A relative link from one page to another; pages lie in folders one deep at most."""
    up = "../" * (len(start.parts) - 1)
    return f"{up}{to}"


def anchor(full_name: str) -> str:
    """What GitHub makes of a heading that is a full name: lower case, without full stops."""
    return full_name.lower().replace(".", "")


def page(blocks: Iterable[str], *, source: str | None = None) -> bytes:
    """A page with its mark; ``source`` is the schema file it comes from, if it is one."""
    mark = f"<!-- {header(source).removeprefix(MARK[:2])} -->"
    return ("\n\n".join((mark, *(block for block in blocks if block))) + "\n").encode()


def _paths(folder: str, names: Iterable[str]) -> dict[str, PurePosixPath]:
    """A path for each name: no two that differ in case only, none that Windows keeps, none over 100 characters."""
    taken: set[str] = set()
    paths = {}
    for name in names:
        stem = name if len(name) <= _LONGEST else f"{name[:80]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        while stem.casefold() in taken or stem.partition(".")[0].casefold() in DEVICES:
            head, dot, tail = stem.partition(".")
            stem = f"{head}_{dot}{tail}"
        taken.add(stem.casefold())
        paths[name] = PurePosixPath(folder, f"{stem}.md")
    return paths
