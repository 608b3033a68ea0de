"""Finding versions and schemas: by number, by id, by what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from treaty.registry.decisions.decide import LATEST
from treaty.registry.decisions.identity import may_mean
from treaty.registry.decisions.merge import between
from treaty.registry.decisions.request import SchemaRequest
from treaty.registry.errors import SubjectNotFound, VersionNotFound
from treaty.registry.names import DEFAULT_CONTEXT, Name
from treaty.registry.rows import Json, SchemaRow, VersionRow
from treaty.registry.service.library import Library, Prepared
from treaty.registry.stores.protocol import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which versions a lookup takes. ``config``: the one in scope. ``only``: this number alone, and it has to say it all."""

    config: Mapping[str, Json]
    normalize: bool
    deleted: bool
    only: int | None = None


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


def saying(reader: Reader, library: Library, name: Name, request: SchemaRequest, *, wanted: Wanted) -> Versioned | None:
    """The version of exactly this name that says what the request says: as sent, else with what a registration would add."""
    found = _saying_exactly(reader, library, name, request, wanted)
    if found is not None or wanted.only is not None:
        return found
    completed = complete(reader, name, request, wanted.config)
    if completed == request:
        return None
    return _saying_exactly(reader, library, name, completed, wanted)


def complete(reader: Reader, name: Name, request: SchemaRequest, config: Mapping[str, Json]) -> SchemaRequest:
    """The request as it would be registered.

    What it leaves out comes from the latest version: text and references, metadata, rule set; the config's defaults lie
    under that, its overrides over it.
    """
    metadata, rule_set = request.metadata, request.rule_set
    if not request.text or metadata is None or rule_set is None:
        latest = reader.latest(name)
        if latest is not None:
            content = with_schema(reader, latest).schema.content
            if not request.text:
                request = replace(request, text=content.text, references=content.references)
            metadata = content.metadata if metadata is None else metadata
            rule_set = content.rule_set if rule_set is None else rule_set
    metadata, rule_set = between(config, metadata, rule_set)
    return replace(request, metadata=metadata, rule_set=rule_set)


def meaning_one_of(reader: Reader, rows: Sequence[VersionRow], metadata: Mapping[str, Json] | None) -> list[Versioned]:
    """Of versions that say the same but for ``confluent:version``, those that metadata as sent can mean."""
    found = with_schemas(reader, rows) if rows else []
    return [
        each for each in found if may_mean(metadata, number=each.version.number, stored=each.schema.content.metadata)
    ]


def _saying_exactly(
    reader: Reader, library: Library, name: Name, request: SchemaRequest, wanted: Wanted
) -> Versioned | None:
    prepared = library.prepare(
        reader, name.context, request, normalize=wanted.normalize, rules="stored", deleted=wanted.deleted
    )
    latest = None if wanted.deleted else reader.latest(name)
    if latest is not None and _is(latest, prepared, only=wanted.only):
        found = with_schema(reader, latest)
        # Most look for the newest, which who asked for the config has read with it.
        if found.schema.content_sha256 == prepared.content_sha256:
            return found
    rows = [row for row in reader.resolving_to(name, prepared.resolved_sha256) if wanted.deleted or not row.deleted]
    if wanted.only is not None:
        rows = [row for row in rows if row.number == wanted.only]
    candidates = meaning_one_of(reader, rows, prepared.content.metadata)
    same = (each for each in candidates if each.schema.content_sha256 == prepared.content_sha256)
    return next(same, candidates[0] if candidates else None)


def _is(row: VersionRow, prepared: Prepared, *, only: int | None) -> bool:
    return row.resolved_sha256 == prepared.resolved_sha256 and only in (None, row.number)
