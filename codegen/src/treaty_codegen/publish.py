"""The published text of an event: one text for the SDK, the registry, releases and golden bytes."""

from __future__ import annotations

from typing import Literal, TypeAlias

from treaty_avro import canonical_text
from treaty_codegen.catalog import SchemaFile

References: TypeAlias = Literal["inline", "registry"]
"""How shared types are published: inlined at first use, or as registry references by full name."""


def publish(event: SchemaFile, *, references: References = "inline") -> str:
    """The text that is registered for an event. Nothing is stripped: docs and ``treaty`` properties are in it.

    ``inline``: canonical text with every shared type at its first use. ``registry``: the file's own canonical text, which
    names shared types; each of them has a subject of its own.
    """
    return event.inlined if references == "inline" else canonical_text(event.schema)
