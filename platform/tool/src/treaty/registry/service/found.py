"""Finding versions and schemas: by number, by id, by what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from treaty.registry.errors import SubjectNotFound, VersionNotFound
from treaty.registry.library import Library
from treaty.registry.names import DEFAULT_CONTEXT, Name
from treaty.registry.request import SchemaRequest
from treaty.registry.rows import SchemaRow, VersionRow
from treaty.registry.store import Reader

LATEST: Final = -1


@dataclass(frozen=True, slots=True)
class Versioned:
    """A version and its schema."""

    version: VersionRow
    schema: SchemaRow


def homes(reader: Reader, name: Name) -> Iterator[Name]:
    """Where a read looks: the name itself and, for an unqualified one, its like in the other contexts, in name order."""
    yield name
    if name.context == DEFAULT_CONTEXT:
        yield from (Name(context, name.subject) for context in reader.contexts() if context != DEFAULT_CONTEXT)


def numbered(reader: Reader, name: Name, number: int, *, deleted: bool) -> VersionRow | None:
    """A version of exactly this name; ``LATEST`` is never a deleted one."""
    row = reader.latest(name) if number == LATEST else reader.version(name, number)
    return row if row is not None and (deleted or not row.deleted) else None


def require_version(reader: Reader, name: Name, number: int, *, deleted: bool) -> VersionRow:
    """The version, here or in another context; raises ``SubjectNotFound``, ``VersionNotFound``."""
    for home in homes(reader, name):
        if (row := numbered(reader, home, number, deleted=deleted)) is not None:
            return row
    known = (row for home in homes(reader, name) for row in reader.versions(home))
    if any(deleted or not row.deleted for row in known):
        raise VersionNotFound(number)
    raise SubjectNotFound(name)


def with_schema(reader: Reader, row: VersionRow) -> Versioned:
    """The version with its schema, which exists as long as the version does."""
    return with_schemas(reader, [row])[0]


def with_schemas(reader: Reader, rows: Sequence[VersionRow]) -> list[Versioned]:
    """The versions with their schemas; one question a context."""
    contexts = {row.name.context for row in rows}
    held = {
        context: reader.schemas(context, {row.schema_id for row in rows if row.name.context == context})
        for context in contexts
    }
    return [Versioned(row, held[row.name.context][row.schema_id]) for row in rows]


def saying(
    reader: Reader, library: Library, name: Name, request: SchemaRequest, *, normalize: bool, deleted: bool
) -> Versioned | None:
    """The version of exactly this name that says what the request says: as sent, else with the latest's metadata and rules."""
    found = _saying_exactly(reader, library, name, request, normalize=normalize, deleted=deleted)
    if found is not None:
        return found
    inherited = inheriting(reader, name, request)
    if inherited == request:
        return None
    return _saying_exactly(reader, library, name, inherited, normalize=normalize, deleted=deleted)


def inheriting(reader: Reader, name: Name, request: SchemaRequest) -> SchemaRequest:
    """The request with what it leaves out taken from the latest version: text and references, metadata, rule set."""
    if request.text and request.metadata is not None and request.rule_set is not None:
        return request
    latest = reader.latest(name)
    if latest is None:
        return request
    content = with_schema(reader, latest).schema.content
    if not request.text:
        request = replace(request, text=content.text, references=content.references)
    return replace(
        request,
        metadata=content.metadata if request.metadata is None else request.metadata,
        rule_set=content.rule_set if request.rule_set is None else request.rule_set,
    )


def _saying_exactly(
    reader: Reader, library: Library, name: Name, request: SchemaRequest, *, normalize: bool, deleted: bool
) -> Versioned | None:
    prepared = library.prepare(reader, name.context, request, normalize=normalize, rules="stored", deleted=deleted)
    rows = [row for row in reader.resolving_to(name, prepared.resolved_sha256) if deleted or not row.deleted]
    candidates = with_schemas(reader, rows) if rows else []
    same = (each for each in candidates if each.schema.content_sha256 == prepared.content_sha256)
    return next(same, candidates[0] if candidates else None)
