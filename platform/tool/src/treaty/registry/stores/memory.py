"""``MemoryStore``: the whole registry in dictionaries, for tests and trials; nothing outlives the process.

A write works on a copy of the state, which takes the old one's place when the block ends well: readers keep their snapshot
and a failed write leaves nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from treaty.registry.access.audit import Entry
from treaty.registry.access.directory import Directory
from treaty.registry.access.seal import Verdict, walked
from treaty.registry.names import DEFAULT_CONTEXT, Name
from treaty.registry.rows import Json, NewSchema, Referrer, SchemaRow, VersionRow
from treaty.registry.stores.memory_roster import MemoryRoster
from treaty.registry.stores.protocol import Readiness, Search

T = TypeVar("T")

AUDIT_ENTRIES: Final = 10_000
"""How many entries of the audit are kept in memory."""


@dataclass(slots=True)
class _State:
    versions: dict[Name, dict[int, VersionRow]] = field(default_factory=dict)
    schemas: dict[str, dict[int, SchemaRow]] = field(default_factory=dict)
    last_versions: dict[Name, int] = field(default_factory=dict)
    provenances: dict[tuple[Name, int], str] = field(default_factory=dict)
    last_ids: dict[str, int] = field(default_factory=dict)
    configs: dict[Name, Mapping[str, Json]] = field(default_factory=dict)
    modes: dict[Name, str] = field(default_factory=dict)
    audit: deque[tuple[int, Entry]] = field(default_factory=lambda: deque(maxlen=AUDIT_ENTRIES))
    generation: int = 0

    def note(self, entry: Entry) -> None:
        self.audit.append((self.audit[-1][0] + 1 if self.audit else 1, entry))

    def copy(self) -> _State:
        return _State(
            versions={name: dict(numbers) for name, numbers in self.versions.items()},
            schemas={context: dict(ids) for context, ids in self.schemas.items()},
            last_versions=dict(self.last_versions),
            provenances=dict(self.provenances),
            last_ids=dict(self.last_ids),
            configs=dict(self.configs),
            modes=dict(self.modes),
            audit=self.audit.copy(),
            generation=self.generation,
        )


class MemoryReader:
    """A snapshot of a ``MemoryStore``."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def version(self, name: Name, number: int) -> VersionRow | None:
        return self._state.versions.get(name, {}).get(number)

    def latest(self, name: Name) -> VersionRow | None:
        return next((version for version in reversed(self.versions(name)) if not version.deleted), None)

    def versions(self, name: Name) -> Sequence[VersionRow]:
        return [version for _, version in sorted(self._state.versions.get(name, {}).items())]

    def schema(self, context: str, schema_id: int) -> SchemaRow | None:
        return self._state.schemas.get(context, {}).get(schema_id)

    def schemas(self, context: str, ids: Collection[int]) -> Mapping[int, SchemaRow]:
        held = self._state.schemas.get(context, {})
        return {schema_id: held[schema_id] for schema_id in ids if schema_id in held}

    def by_content(self, context: str, content_sha256: bytes) -> SchemaRow | None:
        held = self._state.schemas.get(context, {}).values()
        return next((schema for schema in held if schema.content_sha256 == content_sha256), None)

    def by_guid(self, guid: str) -> Sequence[SchemaRow]:
        every = (schema for held in self._state.schemas.values() for schema in held.values())
        return sorted((schema for schema in every if schema.guid == guid), key=lambda row: (row.context, row.id))

    def referred(self, name: Name, number: int) -> SchemaRow | None:
        version = self.version(name, number)
        return None if version is None else self.schema(name.context, version.schema_id)

    def provenance(self, name: Name, number: int) -> str:
        return self._state.provenances.get((name, number), "")

    def users(self, context: str, schema_id: int) -> Sequence[VersionRow]:
        return [row for row in self._ordered() if row.name.context == context and row.schema_id == schema_id]

    def resolving_to(self, name: Name, resolved_sha256: bytes) -> Sequence[VersionRow]:
        return [row for row in reversed(self.versions(name)) if row.resolved_sha256 == resolved_sha256]

    def referrers(self, name: Name, number: int | None = None) -> Sequence[Referrer]:
        found = []
        for context, held in sorted(self._state.schemas.items()):
            for schema in (schema for _, schema in sorted(held.items())):
                if any(_refers(schema, name, number, at) for at in range(len(schema.content.references))):
                    users = self.users(context, schema.id)
                    live = frozenset(user.name for user in users if not user.deleted)
                    found.append(Referrer(context, schema.id, frozenset(user.name for user in users), live))
        return found

    def subjects(self, search: Search) -> Sequence[Name]:
        found = []
        for name, numbers in sorted(self._state.versions.items()):
            live = any(not version.deleted for version in numbers.values())
            wanted = not live if search.deleted_only else live or search.deleted
            if numbers and wanted and search.matches(name):
                found.append(name)
        return _page(found, search)

    def find(self, search: Search) -> Sequence[VersionRow]:
        found = [row for row in self._ordered() if search.matches(row.name) and (search.deleted or not row.deleted)]
        if search.latest_only:
            newest = {row.name: row for row in found}
            found = list(newest.values())
        return _page(found, search)

    def contexts(self) -> Sequence[str]:
        return sorted({DEFAULT_CONTEXT, *(name.context for name in self._state.last_versions)})

    def last_id(self, context: str) -> int:
        return self._state.last_ids.get(context, 0)

    def last_version(self, name: Name) -> int:
        return self._state.last_versions.get(name, 0)

    def config(self, name: Name) -> Mapping[str, Json] | None:
        return self._state.configs.get(name)

    def aliases(self) -> Mapping[Name, str]:
        return {name: members["alias"] for name, members in self._state.configs.items() if members.get("alias")}

    def mode(self, name: Name) -> str | None:
        return self._state.modes.get(name)

    def counts(self) -> tuple[int, int]:
        return len(self.subjects(Search())), sum(len(held) for held in self._state.schemas.values())

    def _ordered(self) -> Iterator[VersionRow]:
        for _, numbers in sorted(self._state.versions.items()):
            yield from (version for _, version in sorted(numbers.items()))


class MemoryWriter(MemoryReader):
    """A copy of the state that is being changed."""

    def add_schema(self, context: str, schema: NewSchema) -> int:
        given = self.last_id(context) + 1 if schema.id is None else schema.id
        self._state.last_ids[context] = max(self.last_id(context), given)
        self._state.schemas.setdefault(context, {})[given] = schema.under(context, given)
        return given

    def add_version(self, version: VersionRow, *, provenance: str = "") -> None:
        self._state.last_versions[version.name] = max(self.last_version(version.name), version.number)
        self._state.versions.setdefault(version.name, {})[version.number] = version
        self._state.provenances[version.name, version.number] = provenance

    def register(
        self, name: Name, number: int, schema: NewSchema, *, provenance: str = "", entry: Entry | None = None
    ) -> VersionRow:
        known = self.by_content(name.context, schema.content_sha256) if schema.id is None else None
        version = VersionRow(
            name=name,
            number=number,
            schema_id=self.add_schema(name.context, schema) if known is None else known.id,
            resolved_sha256=schema.resolved_sha256,
            deleted=False,
            created_at=schema.created_at,
        )
        self.add_version(version, provenance=provenance)
        if entry is not None:
            self.add_audit(replace(entry, schema_id=version.schema_id))
        return version

    def mark_deleted(self, name: Name, numbers: Collection[int], *, at: int) -> None:  # noqa: ARG002  # likewise
        held = self._state.versions[name]
        held.update({number: replace(held[number], deleted=True) for number in numbers})

    def restore(self, name: Name, number: int) -> None:
        held = self._state.versions[name]
        held[number] = replace(held[number], deleted=False)

    def remove(self, name: Name, numbers: Collection[int]) -> None:
        held = self._state.versions[name]
        for number in numbers:
            schema_id = held.pop(number).schema_id
            self._state.provenances.pop((name, number), None)
            if not self.users(name.context, schema_id):
                self._state.schemas[name.context].pop(schema_id, None)
        if not held:
            del self._state.versions[name]

    def set_config(self, name: Name, members: Mapping[str, Json] | None) -> None:
        if members is None:
            self._state.configs.pop(name, None)
        else:
            self._state.configs[name] = dict(members)

    def set_mode(self, name: Name, mode: str | None) -> None:
        if mode is None:
            self._state.modes.pop(name, None)
        else:
            self._state.modes[name] = mode

    def clear_modes(self, context: str) -> None:
        for name in [name for name in self._state.modes if name.context == context and name.subject]:
            del self._state.modes[name]

    def drop_context(self, context: str) -> None:
        kept = {name: last for name, last in self._state.last_versions.items() if name.context != context}
        self._state.last_versions = kept

    def raise_generation(self) -> None:
        self._state.generation += 1

    def add_audit(self, entry: Entry) -> None:
        self._state.note(entry)


class MemoryStore:
    """A store that keeps everything in this process."""

    shared = False
    is_near = True

    def __init__(self) -> None:
        self._state = _State()
        self._directory = Directory()
        self._writing = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[MemoryReader]:
        yield MemoryReader(self._state)

    @contextmanager
    def write(self, own: Name, others: Collection[Name] = ()) -> Iterator[MemoryWriter]:  # noqa: ARG002  # one lock for all
        with self._writing:
            state = self._state.copy()
            yield MemoryWriter(state)
            self._state = state

    def signal(self) -> int | None:
        return self._state.generation

    def generation(self) -> int:
        return self._state.generation

    def directory(self, known: Directory | None = None) -> Directory:  # noqa: ARG002  # it is at hand anyway
        return self._directory

    @contextmanager
    def roster(self) -> Iterator[MemoryRoster]:
        with self._writing:
            roster = MemoryRoster(self._directory)
            yield roster
            self._directory = roster.made()
            self._written(roster.entries)

    def note(self, entries: Sequence[Entry]) -> None:
        with self._writing:
            self._written(entries)

    def _written(self, entries: Sequence[Entry]) -> None:
        state = self._state.copy()
        for entry in entries:
            state.note(entry)
        self._state = state

    def seal(self) -> None:
        """Nothing outlives the process, so nobody could check it."""

    def walk_audit(self, *, expected: tuple[int, bytes] | None = None) -> Verdict:
        return walked((), expected=expected)

    def audit(self, *, before: int | None = None, limit: int = 100) -> Sequence[tuple[int, Entry]]:
        held = [row for row in reversed(self._state.audit) if before is None or row[0] < before]
        return held[:limit]

    def ready(self) -> Readiness:
        return Readiness(ready=True, details={"database": "ok"})

    def close(self) -> None:
        """Nothing to let go of."""


def _refers(schema: SchemaRow, name: Name, number: int | None, at: int) -> bool:
    reference = schema.content.references[at]
    return reference.target(schema.context) == name and number in (None, reference.version)


def _page(found: list[T], search: Search) -> list[T]:
    end = None if search.limit < 0 else search.offset + search.limit
    return found[search.offset : end]
