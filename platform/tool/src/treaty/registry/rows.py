"""What a store holds: references, contents, schemas, versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from treaty.registry.names import Name

Json: TypeAlias = Any
"""A value as ``json.loads`` gives it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """``name`` as the text uses it, found under ``subject`` (as sent; bare ones lie in the referrer's context), ``version``."""

    name: str
    subject: str
    version: int

    def target(self, context: str) -> Name:
        """The subject that is meant by a schema of ``context``."""
        return Name.parse(self.subject, within=context)

    def as_json(self) -> dict[str, Json]:
        """The member of ``references`` in Confluent's bodies."""
        return {"name": self.name, "subject": self.subject, "version": self.version}


@dataclass(frozen=True, slots=True)
class Content:
    """What makes a schema the same schema: canonical text, references, metadata, rule set. Absent (None) is not empty."""

    text: str
    references: tuple[Reference, ...] = ()
    metadata: Mapping[str, Json] | None = None
    rule_set: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRow:
    """A schema under an id of its context. ``created_at``: milliseconds since 1970."""

    context: str
    id: int
    content: Content
    content_sha256: bytes
    resolved_sha256: bytes
    guid: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A numbered version of a subject. ``created_at``: milliseconds since 1970."""

    name: Name
    number: int
    schema_id: int
    resolved_sha256: bytes
    deleted: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class Referrer:
    """A schema that refers to a version; the subjects that have it, and those of them that have it in a live version."""

    context: str
    schema_id: int
    subjects: frozenset[Name]
    live: frozenset[Name]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchema:
    """A schema about to be stored. ``id`` None: the context's next."""

    content: Content
    content_sha256: bytes
    resolved_sha256: bytes
    guid: str
    created_at: int
    id: int | None = None

    def under(self, context: str, schema_id: int) -> SchemaRow:
        """The same, stored."""
        return SchemaRow(
            context=context,
            id=schema_id,
            content=self.content,
            content_sha256=self.content_sha256,
            resolved_sha256=self.resolved_sha256,
            guid=self.guid,
            created_at=self.created_at,
        )
