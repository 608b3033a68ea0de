"""Everything that is only read: by id, by guid, by subject and version, lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from treaty.registry.errors import SchemaIdNotFound, SchemaNotFound, SubjectNotFound
from treaty.registry.library import Library
from treaty.registry.names import DEFAULT_CONTEXT, Name
from treaty.registry.rows import SchemaRow, VersionRow
from treaty.registry.service.found import Versioned, homes, require_version, with_schema, with_schemas
from treaty.registry.store import Reader, Search, Store


@dataclass(frozen=True, slots=True)
class Identified:
    """The schema of an id, the highest id of its context, and (where a subject was asked for) a version that has it."""

    schema: SchemaRow
    max_id: int
    version: VersionRow | None


class Reading:
    """Reads of one registry."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store, self._library = store, library

    def by_id(self, schema_id: int, *, near: Name | None) -> Identified:
        """The schema of an id; ``near`` only picks the context. Raises ``SchemaIdNotFound``."""
        with self._store.read() as reader:
            context = _context_of(reader, schema_id, near)
            row = reader.schema(context, schema_id)
            if row is None:
                raise SchemaIdNotFound(schema_id)
            users = reader.users(context, schema_id) if near is not None and near.subject else []
            own = (user for user in users if near is not None and user.name.subject == near.subject)
            return Identified(row, reader.last_id(context), next(own, users[0] if users else None))

    def users(self, schema_id: int, *, near: Name | None, deleted: bool) -> Sequence[VersionRow]:
        """Versions that have this schema. Raises ``SchemaIdNotFound`` if no version ever had it."""
        with self._store.read() as reader:
            context = _context_of(reader, schema_id, near)
            rows = reader.users(context, schema_id)
            if not rows:
                raise SchemaIdNotFound(schema_id)
            # A given subject filters by name too, unless it names a context alone.
            if near is not None and near.subject:
                rows = [row for row in rows if row.name == replace(near, context=context)]
            return [row for row in rows if deleted or not row.deleted]

    def by_guid(self, guid: str) -> Sequence[SchemaRow]:
        """Schemas with this guid, the default context's first. Raises ``SchemaIdNotFound``."""
        with self._store.read() as reader:
            rows = reader.by_guid(guid)
        if not rows:
            raise SchemaIdNotFound(guid)
        return sorted(rows, key=lambda row: (row.context != DEFAULT_CONTEXT, row.context, row.id))

    def version(self, name: Name, number: int, *, deleted: bool) -> Versioned:
        """One version; raises ``SubjectNotFound``, ``VersionNotFound``."""
        with self._store.read() as reader:
            return with_schema(reader, require_version(reader, name, number, deleted=deleted))

    def versions(self, name: Name, *, deleted: bool, deleted_only: bool) -> Sequence[VersionRow]:
        """The versions of a subject, ascending; raises ``SubjectNotFound`` if none is to be shown."""
        with self._store.read() as reader:
            for home in homes(reader, name):
                rows = [
                    row
                    for row in reader.versions(home)
                    if (row.deleted if deleted_only else deleted or not row.deleted)
                ]
                if rows:
                    return rows
        raise SubjectNotFound(name)

    def inlined(self, row: SchemaRow) -> str:
        """The schema's text with its references inlined."""
        with self._store.read() as reader:
            return self._library.stored(reader, row).inlined

    def referrer_ids(self, name: Name, number: int, *, deleted: bool) -> Sequence[int]:
        """Ids of schemas that refer to a version, ascending; raises ``SubjectNotFound``, ``VersionNotFound``."""
        with self._store.read() as reader:
            row = require_version(reader, name, number, deleted=True)
            referrers = reader.referrers(row.name, row.number)
        return sorted(each.schema_id for each in referrers if deleted or each.live)

    def latest_with(self, name: Name, properties: Sequence[tuple[str, str]], *, deleted: bool) -> Versioned:
        """The newest version whose metadata properties hold all pairs; raises ``SubjectNotFound``, ``SchemaNotFound``."""
        with self._store.read() as reader:
            rows = [row for row in reader.versions(name) if deleted or not row.deleted]
            if not rows:
                raise SubjectNotFound(name)
            for found in reversed(with_schemas(reader, rows)):
                held: Mapping[str, str] = (found.schema.content.metadata or {}).get("properties") or {}
                if all(held.get(key) == value for key, value in properties):
                    return found
        raise SchemaNotFound

    def subjects(self, search: Search) -> Sequence[Name]:
        """Names of subjects."""
        with self._store.read() as reader:
            return reader.subjects(search)

    def find(self, search: Search) -> Sequence[Versioned]:
        """Versions with their schemas."""
        with self._store.read() as reader:
            return with_schemas(reader, reader.find(search))

    def contexts(self) -> Sequence[str]:
        """Names of all contexts."""
        with self._store.read() as reader:
            return reader.contexts()

    def counts(self) -> tuple[int, int]:
        """How many subjects and schemas there are."""
        with self._store.read() as reader:
            return reader.counts()


def _context_of(reader: Reader, schema_id: int, near: Name | None) -> str:
    """The context an id is meant in: where exactly this subject has it, else where its like has it, else the subject's."""
    if near is None:
        return DEFAULT_CONTEXT
    if near.subject:
        for home in homes(reader, near):
            if any(row.name == home for row in reader.users(home.context, schema_id)):
                return home.context
    return near.context
