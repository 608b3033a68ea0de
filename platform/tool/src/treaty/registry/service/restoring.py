"""Taking a soft delete back: only if nothing that has been let in since stands against it."""

from __future__ import annotations

from dataclasses import replace

from treaty.registry.decisions import decide
from treaty.registry.decisions.merge import mode_in_scope
from treaty.registry.decisions.request import SchemaRequest
from treaty.registry.errors import InvalidSchema, SubjectNotFound, VersionNotFound
from treaty.registry.names import Name
from treaty.registry.rows import SchemaRow
from treaty.registry.service.found import Versioned, numbered, require_version, with_schema
from treaty.registry.service.judging import Judging
from treaty.registry.service.library import Library, Prepared
from treaty.registry.service.retrying import in_write
from treaty.registry.stores.protocol import Reader, Store, Writer


class Restoring:
    """Undeletes of one registry."""

    def __init__(self, store: Store, library: Library, judging: Judging) -> None:
        self._store, self._library, self._judging = store, library, judging

    def version(self, name: Name, number: int) -> Versioned:
        """Make a soft-deleted version live again and answer it; a live one is answered as it is.

        Raises ``SubjectNotFound``, ``VersionNotFound``, ``ReadOnly``, ``IncompatibleSchema``; ``InvalidSchema`` if what it
        refers to is deleted.
        """
        with self._store.read() as reader:
            found = with_schema(reader, require_version(reader, name, number, deleted=True))
        own = found.version.name
        others = {each.target(own.context) for each in found.schema.content.references}
        return in_write(self._store, own, lambda writer: self._decided(writer, own, number), others=others)

    def _decided(self, writer: Writer, name: Name, number: int) -> Versioned:
        row = numbered(writer, name, number, deleted=True)
        if row is None:
            raise VersionNotFound(number) if writer.versions(name) else SubjectNotFound(name)
        found = with_schema(writer, row)
        if not row.deleted:
            return found
        prepared, missing = self._prepared(writer, found.schema)
        refusal = decide.restore(
            name,
            mode=mode_in_scope(writer.mode, name),
            missing=missing,
            judge=lambda: [] if prepared is None else self._judging.reasons(writer, name, prepared),
        )
        if refusal is not None:
            raise refusal.error
        writer.restore(name, row.number)
        return replace(found, version=replace(row, deleted=False))

    def _prepared(self, reader: Reader, schema: SchemaRow) -> tuple[Prepared | None, InvalidSchema | None]:
        content = schema.content
        request = SchemaRequest(
            text=content.text, references=content.references, metadata=content.metadata, rule_set=content.rule_set
        )
        try:
            found = self._library.prepare(
                reader, schema.context, request, normalize=False, rules="stored", deleted=False
            )
        except InvalidSchema as error:
            return None, error
        return found, None
