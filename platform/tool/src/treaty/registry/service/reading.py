"""Everything that is only read: by id, by guid, by subject and version, lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from treaty.registry.decisions.request import RULE_LISTS
from treaty.registry.decisions.tags import tagged
from treaty.registry.errors import SchemaIdNotFound, SchemaNotFound, SubjectNotFound
from treaty.registry.names import DEFAULT_CONTEXT, Name
from treaty.registry.rows import Json, SchemaRow, VersionRow
from treaty.registry.service.found import Versioned, homes, require_version, with_schema, with_schemas
from treaty.registry.service.library import Library
from treaty.registry.stores.protocol import Reader, Search, Store


@dataclass(frozen=True, slots=True)
class Listed:
    """A version in a list, and the names that are aliases of its subject."""

    found: Versioned
    aliases: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Identified:
    """The schema of an id.

    ``max_id``: the highest of its context, if it was asked for; ``version``: one that has it, where a subject was asked for.
    """

    schema: SchemaRow
    max_id: int | None
    version: VersionRow | None


class Reading:
    """Reads of one registry."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store, self._library = store, library

    def by_id(self, schema_id: int, *, near: Name | None, with_max_id: bool = False) -> Identified:
        """The schema of an id; ``near`` only picks the context. Raises ``SchemaIdNotFound``."""
        with self._store.read() as reader:
            context = _context_of(reader, schema_id, near)
            row = reader.schema(context, schema_id)
            if row is None:
                raise SchemaIdNotFound(schema_id)
            users = reader.users(context, schema_id) if near is not None and near.subject else []
            own = (user for user in users if near is not None and user.name.subject == near.subject)
            max_id = reader.last_id(context) if with_max_id else None
            return Identified(row, max_id, next(own, users[0] if users else None))

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

    def provenance(self, name: Name, number: int) -> str:
        """Where a version came from; raises ``SubjectNotFound``, ``VersionNotFound``."""
        with self._store.read() as reader:
            row = require_version(reader, name, number, deleted=True)
            return reader.provenance(row.name, row.number)

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

    def listed(self, search: Search, *, aliases: Mapping[Name, Name], rule_type: str) -> Sequence[Listed]:
        """Versions with their schemas, by subject and number.

        ``aliases``: what these names of the search stand for is listed too. ``rule_type``: only schemas with such a rule.
        """
        with self._store.read() as reader:
            if not aliases and not rule_type:
                return [Listed(each) for each in with_schemas(reader, reader.find(search))]
            of: dict[Name, list[Name]] = {}
            for alias, target in sorted(aliases.items()):
                if search.matches(alias):
                    of.setdefault(target, []).append(alias)
            every = replace(search, offset=0, limit=-1)
            rows = list(reader.find(every))
            for target in of:
                if not search.matches(target):
                    exactly = replace(every, context=target.context, prefix=target.subject)
                    rows += [row for row in reader.find(exactly) if row.name == target]
            rows.sort(key=lambda row: (row.name, row.number))
            found = [each for each in with_schemas(reader, rows) if not rule_type or _has_rule(each, rule_type)]
        end = None if search.limit < 0 else search.offset + search.limit
        return [Listed(each, tuple(of.get(each.version.name, ()))) for each in found[search.offset : end]]

    def tagged(self, row: SchemaRow, tags: Collection[str]) -> Sequence[Json]:
        """What in the schema's text carries one of the tags."""
        with self._store.read() as reader:
            return tagged(self._library.stored(reader, row).schema, tags)

    def contexts(self) -> Sequence[str]:
        """Names of all contexts."""
        with self._store.read() as reader:
            return reader.contexts()

    def counts(self) -> tuple[int, int]:
        """How many subjects and schemas there are."""
        with self._store.read() as reader:
            return reader.counts()


def _has_rule(found: Versioned, rule_type: str) -> bool:
    rule_set = found.schema.content.rule_set or {}
    return any(rule["type"] == rule_type for key in RULE_LISTS for rule in rule_set.get(key, ()))


def _context_of(reader: Reader, schema_id: int, near: Name | None) -> str:
    """The context an id is meant in: where exactly this subject has it, else where its like has it, else the subject's."""
    if near is None:
        return DEFAULT_CONTEXT
    if near.subject:
        for home in homes(reader, near):
            if any(row.name == home for row in reader.users(home.context, schema_id)):
                return home.context
    return near.context
