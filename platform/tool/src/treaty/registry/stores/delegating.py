"""A reader and a writer that pass every question and every change on: what stands between only overrides what it changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from treaty.registry.access.audit import Entry
from treaty.registry.names import Name
from treaty.registry.rows import Json, NewSchema, Referrer, SchemaRow, VersionRow
from treaty.registry.stores.protocol import Reader, Search, Writer


class DelegatingReader:
    """Another reader, as it is."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def version(self, name: Name, number: int) -> VersionRow | None:
        return self._reader.version(name, number)

    def latest(self, name: Name) -> VersionRow | None:
        return self._reader.latest(name)

    def versions(self, name: Name) -> Sequence[VersionRow]:
        return self._reader.versions(name)

    def schema(self, context: str, schema_id: int) -> SchemaRow | None:
        return self._reader.schema(context, schema_id)

    def schemas(self, context: str, ids: Collection[int]) -> Mapping[int, SchemaRow]:
        return self._reader.schemas(context, ids)

    def by_content(self, context: str, content_sha256: bytes) -> SchemaRow | None:
        return self._reader.by_content(context, content_sha256)

    def by_guid(self, guid: str) -> Sequence[SchemaRow]:
        return self._reader.by_guid(guid)

    def referred(self, name: Name, number: int) -> SchemaRow | None:
        return self._reader.referred(name, number)

    def users(self, context: str, schema_id: int) -> Sequence[VersionRow]:
        return self._reader.users(context, schema_id)

    def resolving_to(self, name: Name, resolved_sha256: bytes) -> Sequence[VersionRow]:
        return self._reader.resolving_to(name, resolved_sha256)

    def referrers(self, name: Name, number: int | None = None) -> Sequence[Referrer]:
        return self._reader.referrers(name, number)

    def subjects(self, search: Search) -> Sequence[Name]:
        return self._reader.subjects(search)

    def find(self, search: Search) -> Sequence[VersionRow]:
        return self._reader.find(search)

    def contexts(self) -> Sequence[str]:
        return self._reader.contexts()

    def last_id(self, context: str) -> int:
        return self._reader.last_id(context)

    def last_version(self, name: Name) -> int:
        return self._reader.last_version(name)

    def provenance(self, name: Name, number: int) -> str:
        return self._reader.provenance(name, number)

    def config(self, name: Name) -> Mapping[str, Json] | None:
        return self._reader.config(name)

    def mode(self, name: Name) -> str | None:
        return self._reader.mode(name)

    def aliases(self) -> Mapping[Name, str]:
        return self._reader.aliases()

    def counts(self) -> tuple[int, int]:
        return self._reader.counts()


class DelegatingWriter(DelegatingReader):
    """Another writer, as it is."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(writer)
        self._writer = writer

    def add_schema(self, context: str, schema: NewSchema) -> int:
        return self._writer.add_schema(context, schema)

    def add_version(self, version: VersionRow, *, provenance: str = "") -> None:
        self._writer.add_version(version, provenance=provenance)

    def register(
        self, name: Name, number: int, schema: NewSchema, *, provenance: str = "", entry: Entry | None = None
    ) -> VersionRow:
        return self._writer.register(name, number, schema, provenance=provenance, entry=entry)

    def mark_deleted(self, name: Name, numbers: Collection[int], *, at: int) -> None:
        self._writer.mark_deleted(name, numbers, at=at)

    def restore(self, name: Name, number: int) -> None:
        self._writer.restore(name, number)

    def remove(self, name: Name, numbers: Collection[int]) -> None:
        self._writer.remove(name, numbers)

    def set_config(self, name: Name, members: Mapping[str, Json] | None) -> None:
        self._writer.set_config(name, members)

    def set_mode(self, name: Name, mode: str | None) -> None:
        self._writer.set_mode(name, mode)

    def clear_modes(self, context: str) -> None:
        self._writer.clear_modes(context)

    def drop_context(self, context: str) -> None:
        self._writer.drop_context(context)

    def raise_generation(self) -> None:
        self._writer.raise_generation()

    def add_audit(self, entry: Entry) -> None:
        self._writer.add_audit(entry)
