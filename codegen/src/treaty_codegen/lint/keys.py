"""The declared record keys of all events, and the fields that they name: what rules about keys share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from treaty_avro import Field, Record, Type
from treaty_codegen.catalog import Topic
from treaty_codegen.contract import key_of, key_parts
from treaty_codegen.finding import Location
from treaty_codegen.lint.facts import LintFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPart:
    """One field path of the key of one event: ``fields`` are those on the way that exist, in order; ``is_whole``: all do."""

    topic: Topic
    event: Record
    path: str
    at: Location
    fields: tuple[Field, ...]
    is_whole: bool


def key_fields(facts: LintFacts) -> Iterator[KeyPart]:
    """Every field path of every declared key."""
    for topic in facts.catalog.topics.values():
        for name in topic.events:
            file = facts.catalog.by_name.get(name)
            key = key_of(topic, event=name)
            if not key or file is None or not isinstance(file.schema.root, Record):
                continue
            own = topic.settings_of(name)
            at = facts.at_topic(own.line if own.key is not None else topic.lines.get("key", topic.line))
            for is_path, path in key_parts(key):
                if is_path:
                    fields = tuple(walk(file.schema.root, path))
                    whole = len(fields) == path.count(".") + 1
                    yield KeyPart(topic=topic, event=file.schema.root, path=path, at=at, fields=fields, is_whole=whole)


def walk(root: Record, path: str) -> Iterator[Field]:
    """The fields that a path names, as far as it leads."""
    at: Type = root
    for name in path.split("."):
        field = next((each for each in at.fields if each.name == name), None) if isinstance(at, Record) else None
        if field is None:
            return
        yield field
        at = field.type
