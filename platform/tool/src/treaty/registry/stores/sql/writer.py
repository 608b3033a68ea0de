"""``SqlWriter``: the changes of ``store.Writer`` as SQL.

Laws: an id is taken by raising ``contexts.last_id`` in the transaction that uses it, so ids are dense where nothing fails and
are never given twice, whatever was deleted. (SQLite's own row ids would come again after a delete.) The database's foreign
keys stand behind every decision: what is referred to cannot go.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import delete, exists, insert, select, text, update

from treaty.registry.access.audit import Entry
from treaty.registry.names import Name
from treaty.registry.rows import Json, NewSchema, VersionRow
from treaty.registry.stores.sql.access import add_entries
from treaty.registry.stores.sql.notices import CHANNEL
from treaty.registry.stores.sql.prepared import Prepared
from treaty.registry.stores.sql.reader import SqlReader
from treaty.registry.stores.sql.registration import register
from treaty.registry.stores.sql.tables import CONFIGS, MODES, REFERENCES, SCHEMAS, STATE, SUBJECTS, VERSIONS

TAKE_ID: Final = Prepared(
    text(
        "INSERT INTO contexts (name, last_id, created_at) VALUES (:context, 1, :at) "
        "ON CONFLICT (name) DO UPDATE SET last_id = contexts.last_id + 1 RETURNING last_id"
    )
)

LIFT_ID: Final = Prepared(
    text(
        "INSERT INTO contexts (name, last_id, created_at) VALUES (:context, :id, :at) "
        "ON CONFLICT (name) DO UPDATE SET last_id = excluded.last_id WHERE contexts.last_id < excluded.last_id"
    )
)

ADD_SUBJECT: Final = Prepared(
    text(
        "INSERT INTO subjects (context, name, last_version) VALUES (:context, :name, :number) "
        "ON CONFLICT (context, name) DO UPDATE SET last_version = excluded.last_version "
        "WHERE subjects.last_version < excluded.last_version"
    )
)

# The oldest double takes the place of a first content that goes.
PROMOTE_DOUBLE: Final = text(
    "UPDATE schemas SET is_first = true WHERE context = :context AND id = ("
    "SELECT min(id) FROM schemas WHERE context = :context AND content_sha256 = :content) "
    "AND NOT EXISTS (SELECT 1 FROM schemas WHERE context = :context AND content_sha256 = :content AND is_first)"
)

ADD_SCHEMA: Final = Prepared(insert(SCHEMAS))
ADD_VERSION: Final = Prepared(insert(VERSIONS), without=("deleted_at",))

PUT_MEMBERS: Final = {
    table.name: text(
        f"INSERT INTO {table.name} (context, subject, members) VALUES (:context, :subject, :members) "  # noqa: S608  # two fixed names
        "ON CONFLICT (context, subject) DO UPDATE SET members = excluded.members"
    )
    for table in (CONFIGS, MODES)
}


class SqlWriter(SqlReader):
    """A transaction under the store's locks."""

    _writes = True

    def add_schema(self, context: str, schema: NewSchema) -> int:
        values = {"context": context, "at": schema.created_at, "id": schema.id}
        taken = (TAKE_ID if schema.id is None else LIFT_ID).execute(self._connection, values)
        given = int(taken.scalar_one()) if schema.id is None else schema.id
        is_double = schema.id is not None and self.by_content(context, schema.content_sha256) is not None
        row = {**_schema_values(context, schema), "id": given, "is_first": not is_double}
        ADD_SCHEMA.execute(self._connection, row)
        self._add_references(context, given, schema)
        self._seen.keep([schema.under(context, given)])
        return given

    def register(
        self, name: Name, number: int, schema: NewSchema, *, provenance: str = "", entry: Entry | None = None
    ) -> VersionRow:
        if self._connection.dialect.name == "postgresql" and schema.id is None:
            schema_id = self._register_at_once(name, number, schema, provenance=provenance, entry=entry)
            return _version(name, number, schema, schema_id)
        known = self.by_content(name.context, schema.content_sha256) if schema.id is None else None
        schema_id = self.add_schema(name.context, schema) if known is None else known.id
        version = _version(name, number, schema, schema_id)
        self.add_version(version, provenance=provenance)
        if entry is not None:
            self.add_audit(replace(entry, schema_id=schema_id))
        return version

    def _register_at_once(
        self, name: Name, number: int, schema: NewSchema, *, provenance: str, entry: Entry | None
    ) -> int:
        self._seen.grown(name)
        row = _schema_values(name.context, schema)
        row |= {"subject": name.subject, "version": number, "provenance": provenance}
        schema_id, is_new = register(self._connection, row, entry)
        if is_new:
            self._add_references(name.context, schema_id, schema)
            self._seen.keep([schema.under(name.context, schema_id)])
        return schema_id

    def add_version(self, version: VersionRow, *, provenance: str = "") -> None:
        name = version.name
        self._seen.grown(name)
        ADD_SUBJECT.execute(self._connection, {"context": name.context, "name": name.subject, "number": version.number})
        row = {
            "context": name.context,
            "subject": name.subject,
            "version": version.number,
            "schema_id": version.schema_id,
            "resolved_sha256": version.resolved_sha256,
            "deleted": version.deleted,
            "created_at": version.created_at,
            "provenance": provenance,
        }
        ADD_VERSION.execute(self._connection, row)

    def mark_deleted(self, name: Name, numbers: Collection[int], *, at: int) -> None:
        self._seen.changed(name)
        of = VERSIONS.c
        self._connection.execute(
            update(VERSIONS)
            .where(of.context == name.context, of.subject == name.subject, of.version.in_(sorted(numbers)))
            .values(deleted=True, deleted_at=at)
        )

    def restore(self, name: Name, number: int) -> None:
        self._seen.changed(name)
        of = VERSIONS.c
        self._connection.execute(
            update(VERSIONS)
            .where(of.context == name.context, of.subject == name.subject, of.version == number)
            .values(deleted=False, deleted_at=None)
        )

    def remove(self, name: Name, numbers: Collection[int]) -> None:
        self._seen.changed(name)
        of = VERSIONS.c
        for number in numbers:
            gone = self.version(name, number)
            if gone is None:
                continue
            self._connection.execute(
                delete(VERSIONS).where(of.context == name.context, of.subject == name.subject, of.version == number)
            )
            self._drop_unused(name.context, gone.schema_id)
            self._seen.changed(name)

    def set_config(self, name: Name, members: Mapping[str, Json] | None) -> None:
        self._put("configs", name, None if members is None else json.dumps(members))

    def set_mode(self, name: Name, mode: str | None) -> None:
        self._put("modes", name, mode)

    def clear_modes(self, context: str) -> None:
        self._seen.settings.clear()
        self._connection.execute(delete(MODES).where(MODES.c.context == context, MODES.c.subject != ""))

    def drop_context(self, context: str) -> None:
        self._connection.execute(delete(SUBJECTS).where(SUBJECTS.c.context == context))

    def raise_generation(self) -> None:
        self._connection.execute(update(STATE).values(generation=STATE.c.generation + 1))
        if self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql(f"NOTIFY {CHANNEL}")

    def add_audit(self, entry: Entry) -> None:
        add_entries(self._connection, [entry])

    def _add_references(self, context: str, schema_id: int, schema: NewSchema) -> None:
        rows = []
        for ordinal, reference in enumerate(schema.content.references):
            target = reference.target(context)
            rows.append(
                {
                    "context": context,
                    "schema_id": schema_id,
                    "ordinal": ordinal,
                    "name": reference.name,
                    "ref_context": target.context,
                    "ref_subject": target.subject,
                    "ref_version": reference.version,
                }
            )
        if rows:
            self._connection.execute(insert(REFERENCES), rows)

    def _drop_unused(self, context: str, schema_id: int) -> None:
        schema = self.schema(context, schema_id)
        is_used = exists(
            select(VERSIONS.c.version).where(VERSIONS.c.context == context, VERSIONS.c.schema_id == schema_id)
        )
        dropped = self._connection.execute(
            delete(SCHEMAS).where(SCHEMAS.c.context == context, SCHEMAS.c.id == schema_id, ~is_used)
        )
        if schema is not None and dropped.rowcount:
            self._connection.execute(PROMOTE_DOUBLE, {"context": context, "content": schema.content_sha256})

    def _put(self, table: str, name: Name, members: str | None) -> None:
        self._seen.settings.clear()
        where = CONFIGS if table == CONFIGS.name else MODES
        if members is None:
            self._connection.execute(
                delete(where).where(where.c.context == name.context, where.c.subject == name.subject)
            )
        else:
            row = {"context": name.context, "subject": name.subject, "members": members}
            self._connection.execute(PUT_MEMBERS[table], row)


def _version(name: Name, number: int, schema: NewSchema, schema_id: int) -> VersionRow:
    return VersionRow(
        name=name,
        number=number,
        schema_id=schema_id,
        resolved_sha256=schema.resolved_sha256,
        deleted=False,
        created_at=schema.created_at,
    )


def _schema_values(context: str, schema: NewSchema) -> dict[str, Json]:
    content = schema.content
    return {
        "context": context,
        "text": content.text,
        "refs": _refs(schema),
        "metadata": None if content.metadata is None else json.dumps(content.metadata),
        "rule_set": None if content.rule_set is None else json.dumps(content.rule_set),
        "content_sha256": schema.content_sha256,
        "resolved_sha256": schema.resolved_sha256,
        "guid": schema.guid,
        "created_at": schema.created_at,
    }


def _refs(schema: NewSchema) -> str | None:
    references = schema.content.references
    return json.dumps([[ref.name, ref.subject, ref.version] for ref in references]) if references else None
