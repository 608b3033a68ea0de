"""The store as one visitor may see and change it.

Laws: what a visitor may not read is not there, for every route alike, because the store itself does not give it: an answer
about a foreign subject is byte for byte the answer about a missing one. A schema is there if one of its subjects is. What a
visible schema refers to is used, though not shown by itself. A write is refused unless the visitor has the role that the
request needs on the name that is *written*, wherever the request's own name led (an alias may lead elsewhere). Each change is
written down in its own transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from treaty.registry.access.audit import Entry, Pen, Visitor, digest
from treaty.registry.access.grants import EVERYTHING, Principal, Role
from treaty.registry.errors import Forbidden
from treaty.registry.names import DEFAULT_CONTEXT, Name
from treaty.registry.observation import Changed, Observe, Stored, ignore
from treaty.registry.rows import Json, NewSchema, Referrer, SchemaRow, VersionRow
from treaty.registry.stores.delegating import DelegatingReader, DelegatingWriter
from treaty.registry.stores.protocol import Reader, Search, Store, Writer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Guard:
    """A visitor, the role that the request needs to write, and what it wants to do, in a word for the answer."""

    visitor: Visitor
    role: Role = Role.READER
    action: str = "read"

    def require(self, role: Role, name: Name) -> None:
        """Raise ``Forbidden`` unless the visitor has the role on the name."""
        if not self.visitor.principal.may(role, name):
            raise Forbidden(self.action, name, role.name.lower())

    def require_everything(self) -> None:
        """Raise ``Forbidden`` unless the visitor has the request's role on everything."""
        if not self.visitor.principal.may_everywhere(self.role):
            raise Forbidden(self.action, EVERYTHING, self.role.name.lower())


class GuardedStore:
    """A store behind a guard.

    ``now_ms``: milliseconds since 1970; ``observe`` is told how long the store took; ``while_writing``: a write, which may
    have to wait for others, happens within it.
    """

    def __init__(
        self,
        store: Store,
        guard: Guard,
        *,
        now_ms: Callable[[], int],
        observe: Observe = ignore,
        while_writing: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._store, self._guard, self._observe, self._while_writing = store, guard, observe, while_writing
        self._principal = guard.visitor.principal
        self._pen = Pen(guard.visitor, now_ms=now_ms)
        self.shared, self.is_near = store.shared, store.is_near
        self.directory, self.roster, self.note, self.audit = store.directory, store.roster, store.note, store.audit
        self.generation, self.signal = store.generation, store.signal
        self.ready, self.close, self.seal = store.ready, store.close, store.seal
        self.walk_audit = store.walk_audit

    @contextmanager
    def read(self) -> Iterator[Reader]:
        with self._timed("read"), self._store.read() as reader:
            yield reader if self._principal.may_everywhere(Role.READER) else GuardedReader(reader, self._principal)

    @contextmanager
    def write(self, own: Name, others: Collection[Name] = ()) -> Iterator[Writer]:
        self._guard.require(self._guard.role, own)
        hidden = frozenset(name for name in others if not self._principal.may(Role.READER, name))
        with self._while_writing(), self._timed("write"), self._store.write(own, others) as writer:
            guarded = GuardedWriter(writer, self._pen, hidden=hidden)
            yield guarded
        # Told only now: what was not committed did not happen.
        for entry in guarded.entries:
            self._observe(Changed(entry.as_json()))

    @contextmanager
    def _timed(self, operation: Literal["read", "write"]) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._observe(Stored(operation, time.perf_counter() - began))


class GuardedReader(DelegatingReader):
    """A snapshot without what a principal may not read."""

    def __init__(self, reader: Reader, principal: Principal) -> None:
        super().__init__(reader)
        self._principal = principal

    def version(self, name: Name, number: int) -> VersionRow | None:
        return self._reader.version(name, number) if self._reads(name) else None

    def latest(self, name: Name) -> VersionRow | None:
        return self._reader.latest(name) if self._reads(name) else None

    def versions(self, name: Name) -> Sequence[VersionRow]:
        return self._reader.versions(name) if self._reads(name) else []

    def schema(self, context: str, schema_id: int) -> SchemaRow | None:
        return self._reader.schema(context, schema_id) if self.users(context, schema_id) else None

    def by_content(self, context: str, content_sha256: bytes) -> SchemaRow | None:
        found = self._reader.by_content(context, content_sha256)
        return found if found is not None and self.users(context, found.id) else None

    def by_guid(self, guid: str) -> Sequence[SchemaRow]:
        return [row for row in self._reader.by_guid(guid) if self.users(row.context, row.id)]

    def users(self, context: str, schema_id: int) -> Sequence[VersionRow]:
        return [row for row in self._reader.users(context, schema_id) if self._reads(row.name)]

    def resolving_to(self, name: Name, resolved_sha256: bytes) -> Sequence[VersionRow]:
        return self._reader.resolving_to(name, resolved_sha256) if self._reads(name) else []

    def referrers(self, name: Name, number: int | None = None) -> Sequence[Referrer]:
        if not self._reads(name):
            return []
        seen = [
            replace(each, subjects=self._readable(each.subjects), live=self._readable(each.live))
            for each in self._reader.referrers(name, number)
        ]
        return [each for each in seen if each.subjects]

    def subjects(self, search: Search) -> Sequence[Name]:
        # Filtered before it is cut into pages: an offset must not count what is not there.
        every = self._reader.subjects(replace(search, offset=0, limit=-1))
        return _page([name for name in every if self._reads(name)], search)

    def find(self, search: Search) -> Sequence[VersionRow]:
        every = self._reader.find(replace(search, offset=0, limit=-1))
        return _page([row for row in every if self._reads(row.name)], search)

    def contexts(self) -> Sequence[str]:
        every = Search(deleted=True)
        seen = {name.context for name in self.subjects(every)} | {DEFAULT_CONTEXT}
        return [context for context in self._reader.contexts() if context in seen]

    def last_version(self, name: Name) -> int:
        return self._reader.last_version(name) if self._reads(name) else 0

    def provenance(self, name: Name, number: int) -> str:
        return self._reader.provenance(name, number) if self._reads(name) else ""

    def config(self, name: Name) -> Mapping[str, Json] | None:
        return self._reader.config(name) if self._governs(name) else None

    def mode(self, name: Name) -> str | None:
        return self._reader.mode(name) if self._governs(name) else None

    def aliases(self) -> Mapping[Name, str]:
        return {name: alias for name, alias in self._reader.aliases().items() if self._reads(name)}

    def _reads(self, name: Name) -> bool:
        return self._principal.may(Role.READER, name)

    def _governs(self, name: Name) -> bool:
        # What holds for a whole context holds for everybody's subjects in it, so everybody may know it.
        return not name.subject or self._reads(name)

    def _readable(self, names: frozenset[Name]) -> frozenset[Name]:
        return frozenset(name for name in names if self._reads(name))


class GuardedWriter(DelegatingWriter):
    """A transaction whose changes are written down, and stand in ``entries``.

    ``hidden``: names that the visitor refers to and may not read.
    """

    def __init__(self, writer: Writer, pen: Pen, *, hidden: frozenset[Name]) -> None:
        super().__init__(writer)
        self._pen, self._hidden = pen, hidden
        self.entries: list[Entry] = []

    def version(self, name: Name, number: int) -> VersionRow | None:
        return None if name in self._hidden else self._writer.version(name, number)

    def latest(self, name: Name) -> VersionRow | None:
        return None if name in self._hidden else self._writer.latest(name)

    def add_version(self, version: VersionRow, *, provenance: str = "") -> None:
        self._writer.add_version(version, provenance=provenance)
        self._note("register", version.name, version)

    def register(
        self, name: Name, number: int, schema: NewSchema, *, provenance: str = "", entry: Entry | None = None
    ) -> VersionRow:
        noted = entry or self._pen.change("register", name, version=number, after=schema.resolved_sha256)
        row = self._writer.register(name, number, schema, provenance=provenance, entry=noted)
        # Told to who watches, too: the id that was not known before.
        self.entries.append(replace(noted, schema_id=row.schema_id))
        return row

    def mark_deleted(self, name: Name, numbers: Collection[int], *, at: int) -> None:
        rows = [self._writer.version(name, number) for number in sorted(numbers)]
        self._writer.mark_deleted(name, numbers, at=at)
        for row in rows:
            self._note("delete", name, row)

    def restore(self, name: Name, number: int) -> None:
        self._writer.restore(name, number)
        self._note("undelete", name, self._writer.version(name, number))

    def remove(self, name: Name, numbers: Collection[int]) -> None:
        rows = [self._writer.version(name, number) for number in numbers]
        self._writer.remove(name, numbers)
        for row in rows:
            self._note("remove", name, row)

    def set_config(self, name: Name, members: Mapping[str, Json] | None) -> None:
        before = digest(self._writer.config(name))
        self._writer.set_config(name, members)
        self._changed("config", name, before, digest(members))

    def set_mode(self, name: Name, mode: str | None) -> None:
        before = digest(self._writer.mode(name))
        self._writer.set_mode(name, mode)
        self._changed("mode", name, before, digest(mode))

    def clear_modes(self, context: str) -> None:
        self._writer.clear_modes(context)
        self._written(self._pen.change("clear-modes", Name(context, "")))

    def drop_context(self, context: str) -> None:
        self._writer.drop_context(context)
        self._written(self._pen.change("drop-context", Name(context, "")))

    def _written(self, entry: Entry) -> None:
        self._writer.add_audit(entry)
        self.entries.append(entry)

    def _note(self, action: str, name: Name, row: VersionRow | None) -> None:
        if row is None:
            return
        content = row.resolved_sha256
        before, after = (None, content) if action in ("register", "undelete") else (content, None)
        entry = self._pen.change(action, name, version=row.number, schema_id=row.schema_id, before=before, after=after)
        self._written(entry)

    def _changed(self, action: str, name: Name, before: bytes | None, after: bytes | None) -> None:
        if before != after:
            self._written(self._pen.change(action, name, before=before, after=after))


def _page(found: list[T], search: Search) -> list[T]:
    end = None if search.limit < 0 else search.offset + search.limit
    return found[search.offset : end]
