"""The published text of an event: one text for the SDK, the registry, releases and golden bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal, TypeAlias

from treaty_avro import Named, Schema, canonical_text, inlined_text, parse
from treaty_codegen.catalog import SchemaFile

References: TypeAlias = Literal["inline", "registry"]
"""How shared types are published: inlined at first use, or as registry references by full name."""


def publish(event: SchemaFile, *, references: References = "inline") -> str:
    """The text that is registered for an event. Nothing is stripped: docs and ``treaty`` properties are in it.

    ``inline``: canonical text with every shared type at its first use. ``registry``: the file's own canonical text, which
    names shared types; each of them has a subject of its own.
    """
    return event.inlined if references == "inline" else canonical_text(event.schema)


def referring(text: str, *, names: Collection[str]) -> str:
    """An inlined text with the types of ``names`` (full names) as names again: what mode ``registry`` published for it."""
    schema = parse(text, rules="stored")
    left_out = tuple(_alone(type_) for name, type_ in schema.named.items() if name in names)
    return canonical_text(Schema(root=schema.root, named={}, text=text, references=left_out))


def types_within(text: str) -> Iterator[tuple[str, str]]:
    """Full name and inlined text of every named type that an inlined text defines within its outermost: each stands for itself."""
    schema = parse(text, rules="stored")
    for name, type_ in schema.named.items():
        if type_ is not schema.root:
            yield name, inlined_text(_alone(type_))


def _alone(type_: Named) -> Schema:
    return Schema(root=type_, named={}, text="")
