"""``SqlReader``: the questions of ``store.Reader`` as SQL, in the transaction of one connection."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import ClassVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, case, func, select

from treaty.registry.decisions.merge import scope
from treaty.registry.names import DEFAULT_CONTEXT, TOP, Name
from treaty.registry.rows import Content, Json, Reference, Referrer, SchemaRow, VersionRow
from treaty.registry.stores.protocol import Search
from treaty.registry.stores.sql.seen import Seen
from treaty.registry.stores.sql.standing import CONFIG, GUID, MODE, OF_VERSION, VERSION, read_standing
from treaty.registry.stores.sql.tables import CONFIGS, CONTEXTS, REFERENCES, SCHEMAS, SUBJECTS, VERSIONS

_V = VERSIONS.c
_VERSION = select(_V.context, _V.subject, _V.version, _V.schema_id, _V.resolved_sha256, _V.deleted, _V.created_at)
_S = SCHEMAS.c
_SCHEMA = select(
    _S.context, _S.id, _S.text, _S.refs, _S.metadata, _S.rule_set,
    _S.content_sha256, _S.resolved_sha256, _S.guid, _S.created_at,
)  # fmt: skip
_BOTH = _VERSION.add_columns(
    _S.text.label("s_text"), _S.refs.label("s_refs"), _S.metadata.label("s_metadata"), _S.rule_set.label("s_rule_set"),
    _S.content_sha256.label("s_content"), _S.resolved_sha256.label("s_resolved"), _S.guid.label("s_guid"),
    _S.created_at.label("s_created_at"),
).join(SCHEMAS, and_(_S.context == _V.context, _S.id == _V.schema_id))  # fmt: skip
# Made once: to build a statement costs more than to have it answered.
_OF_NAME = and_(_V.context == bindparam("context"), _V.subject == bindparam("subject"))
_NEWEST_FIRST = _BOTH.where(_OF_NAME).order_by(_V.version.desc())
_LATEST = _NEWEST_FIRST.where(~_V.deleted).limit(1)
_NUMBERED = _NEWEST_FIRST.where(_V.version == bindparam("version"))
_RESOLVING = _NEWEST_FIRST.where(_V.resolved_sha256 == bindparam("resolved"))
_ALL = (
    select(_V.version, _V.schema_id, _V.resolved_sha256, _V.deleted, _V.created_at).where(_OF_NAME).order_by(_V.version)
)
_BY_IDS = _SCHEMA.where(_S.context == bindparam("context"), _S.id.in_(bindparam("ids", expanding=True)))
# Literally "is_first", not "is_first = true": only so do both databases see that the partial index serves.
_BY_CONTENT = _SCHEMA.where(_S.context == bindparam("context"), _S.content_sha256 == bindparam("content"), _S.is_first)
_REFERRED = _SCHEMA.join(VERSIONS, and_(_V.context == _S.context, _V.schema_id == _S.id)).where(
    _OF_NAME, _V.version == bindparam("version")
)
_AFTER_EVERY_CHARACTER = "\U0010ffff"


class SqlReader:
    """A snapshot, or the transaction of a writer."""

    _writes: ClassVar[bool] = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seen = Seen()

    def version(self, name: Name, number: int) -> VersionRow | None:
        if name in self._seen.versions:
            return next((row for row in self._seen.versions[name] if row.number == number), None)
        latest = self._seen.latest.get(name)
        if latest is not None and latest.number == number:
            return latest
        return next(iter(self._with_schemas(_NUMBERED, name, version=number)), None)

    def latest(self, name: Name) -> VersionRow | None:
        if name in self._seen.versions:
            return next((row for row in reversed(self._seen.versions[name]) if not row.deleted), None)
        if name not in self._seen.latest:
            self._seen.latest[name] = next(iter(self._with_schemas(_LATEST, name)), None)
        return self._seen.latest[name]

    def versions(self, name: Name) -> Sequence[VersionRow]:
        if name not in self._seen.versions:
            rows = self._connection.execute(_ALL, _place(name)).all()
            self._seen.versions[name] = [_version_of(name, row) for row in rows]
        return list(self._seen.versions[name])

    def schema(self, context: str, schema_id: int) -> SchemaRow | None:
        return self.schemas(context, [schema_id]).get(schema_id)

    def schemas(self, context: str, ids: Collection[int]) -> Mapping[int, SchemaRow]:
        seen = self._seen.schemas
        asked = sorted(each for each in set(ids) if (context, each) not in seen)
        if asked:
            rows = self._connection.execute(_BY_IDS, {"context": context, "ids": asked})
            self._seen.keep(map(_schema_row, rows))
        return {each: seen[context, each] for each in ids if (context, each) in seen}

    def by_content(self, context: str, content_sha256: bytes) -> SchemaRow | None:
        row = self._connection.execute(_BY_CONTENT, {"context": context, "content": content_sha256}).first()
        return None if row is None else self._seen.keep([_schema_row(row)])[0]

    def by_guid(self, guid: str) -> Sequence[SchemaRow]:
        chosen = _SCHEMA.where(_S.guid == guid).order_by(_S.context, _S.id)
        return [_schema_row(row) for row in self._connection.execute(chosen)]

    def referred(self, name: Name, number: int) -> SchemaRow | None:
        seen = self._seen.referred
        if (name, number) not in seen:
            row = self._connection.execute(_REFERRED, {**_place(name), "version": number}).first()
            seen[name, number] = None if row is None else _schema_row(row)
        return seen[name, number]

    def provenance(self, name: Name, number: int) -> str:
        chosen = select(_V.provenance).where(_V.context == name.context, _V.subject == name.subject)
        return self._connection.execute(chosen.where(_V.version == number)).scalar() or ""

    def users(self, context: str, schema_id: int) -> Sequence[VersionRow]:
        chosen = _VERSION.where(_V.context == context, _V.schema_id == schema_id)
        return self._versions(chosen.order_by(_V.subject, _V.version))

    def resolving_to(self, name: Name, resolved_sha256: bytes) -> Sequence[VersionRow]:
        if name in self._seen.versions:
            return [row for row in reversed(self._seen.versions[name]) if row.resolved_sha256 == resolved_sha256]
        return self._with_schemas(_RESOLVING, name, resolved=resolved_sha256)

    def referrers(self, name: Name, number: int | None = None) -> Sequence[Referrer]:
        to = REFERENCES.c
        chosen = (
            select(to.context, to.schema_id, _V.subject, _V.deleted)
            .join(VERSIONS, and_(_V.context == to.context, _V.schema_id == to.schema_id))
            .where(to.ref_context == name.context, to.ref_subject == name.subject)
            .order_by(to.context, to.schema_id)
        )
        if number is not None:
            chosen = chosen.where(to.ref_version == number)
        found = []
        rows = self._connection.execute(chosen)
        for (context, schema_id), users in groupby(rows, key=lambda row: (row.context, row.schema_id)):
            named = [(Name(context, user.subject), user.deleted) for user in users]
            live = frozenset(user for user, is_deleted in named if not is_deleted)
            found.append(Referrer(context, schema_id, frozenset(user for user, _ in named), live))
        return found

    def subjects(self, search: Search) -> Sequence[Name]:
        chosen = _matching(select(_V.context, _V.subject), search).group_by(_V.context, _V.subject)
        live = func.sum(case((_V.deleted, 0), else_=1))
        if search.deleted_only:
            chosen = chosen.having(live == 0)
        elif not search.deleted:
            chosen = chosen.where(~_V.deleted)
        chosen = _paged(chosen.order_by(*_by_name(search, _V.context, _V.subject)), search)
        return [Name(row.context, row.subject) for row in self._connection.execute(chosen)]

    def find(self, search: Search) -> Sequence[VersionRow]:
        chosen = _matching(_VERSION, search)
        if not search.deleted:
            chosen = chosen.where(~_V.deleted)
        if search.latest_only:
            rank = func.row_number().over(partition_by=(_V.context, _V.subject), order_by=_V.version.desc())
            ranked = chosen.add_columns(rank.label("rank")).subquery()
            chosen = select(ranked).where(ranked.c.rank == 1)
            order = (*_by_name(search, ranked.c.context, ranked.c.subject), ranked.c.version)
            return self._versions(_paged(chosen.order_by(*order), search))
        order = (*_by_name(search, _V.context, _V.subject), _V.version)
        return self._versions(_paged(chosen.order_by(*order), search))

    def contexts(self) -> Sequence[str]:
        rows = self._connection.execute(select(SUBJECTS.c.context).distinct())
        return sorted({DEFAULT_CONTEXT, *rows.scalars()})

    def last_id(self, context: str) -> int:
        chosen = select(CONTEXTS.c.last_id).where(CONTEXTS.c.name == context)
        return int(self._connection.execute(chosen).scalar() or 0)

    def last_version(self, name: Name) -> int:
        chosen = select(SUBJECTS.c.last_version).where(
            SUBJECTS.c.context == name.context, SUBJECTS.c.name == name.subject
        )
        return int(self._connection.execute(chosen).scalar() or 0)

    def config(self, name: Name) -> Mapping[str, Json] | None:
        text, _ = self._settings(name)
        return None if text is None else dict(json.loads(text))

    def aliases(self) -> Mapping[Name, str]:
        of = CONFIGS.c
        rows = self._connection.execute(
            select(of.context, of.subject, of.members).where(of.members.contains('"alias"'))
        )
        members = {Name(row.context, row.subject): json.loads(row.members) for row in rows}
        return {name: each["alias"] for name, each in members.items() if each.get("alias")}

    def mode(self, name: Name) -> str | None:
        return self._settings(name)[1]

    def counts(self) -> tuple[int, int]:
        live = select(_V.context, _V.subject).where(~_V.deleted).distinct().subquery()
        subjects = self._connection.execute(select(func.count()).select_from(live)).scalar_one()
        schemas = self._connection.execute(select(func.count()).select_from(SCHEMAS)).scalar_one()
        return subjects, schemas

    def _settings(self, name: Name) -> tuple[str | None, str | None]:
        """Config and mode of a name; those of its scope, and versions, are read with them (``standing``)."""
        seen = self._seen.settings
        if name not in seen:
            rows = read_standing(self._connection, name, all_versions=self._writes)
            found = {(row.kind, row.context, row.subject): row.s_text for row in rows if row[0] != VERSION}
            for each in {name, *scope(name), TOP}:
                config, mode = (found.get((kind, each.context, each.subject)) for kind in (CONFIG, MODE))
                seen[each] = (config, mode)
            if name.subject:
                self._keep_versions(name, [row for row in rows if row[0] == VERSION])
        return seen[name]

    def _keep_versions(self, name: Name, rows: Sequence[Row[*tuple[Json, ...]]]) -> None:
        self._seen.keep(_joined_schema(row) for row in rows if row[GUID] is not None)
        versions = sorted((_version_of(name, row[OF_VERSION]) for row in rows), key=lambda row: row.number)
        if self._writes:
            self._seen.versions[name] = versions
        else:
            self._seen.latest[name] = versions[0] if versions else None

    def _with_schemas(self, chosen: Select[*tuple[Json, ...]], name: Name, **values: int | bytes) -> list[VersionRow]:
        """Versions, newest first; their schemas are read with them, for who asks for one goes on to ask for the other."""
        rows = self._connection.execute(chosen, {**_place(name), **values}).all()
        self._seen.keep(_joined_schema(row) for row in rows)
        return [_version_row(row) for row in rows]

    def _versions(self, chosen: Select[*tuple[Json, ...]]) -> list[VersionRow]:
        return [_version_row(row) for row in self._connection.execute(chosen)]


def _version_of(name: Name, values: Sequence[Json]) -> VersionRow:
    # By place, not by name: of a subject with many versions each is read when one is registered.
    number, schema_id, resolved, deleted, created_at = values
    return VersionRow(
        name=name,
        number=number,
        schema_id=schema_id,
        resolved_sha256=bytes(resolved),
        deleted=bool(deleted),
        created_at=created_at,
    )


def _version_row(row: Row[*tuple[Json, ...]]) -> VersionRow:
    return VersionRow(
        name=Name(row.context, row.subject),
        number=row.version,
        schema_id=row.schema_id,
        resolved_sha256=bytes(row.resolved_sha256),
        deleted=bool(row.deleted),
        created_at=row.created_at,
    )


def _by_name(
    search: Search, context: ColumnElement[str], subject: ColumnElement[str]
) -> tuple[ColumnElement[str], ...]:
    """The order of names as they print; within one context an index gives it."""
    if search.context is not None:
        return context, subject
    return (case((context == DEFAULT_CONTEXT, subject), else_=":" + context + ":" + subject),)


def _place(name: Name) -> dict[str, str]:
    return {"context": name.context, "subject": name.subject}


def _matching(chosen: Select[*tuple[Json, ...]], search: Search) -> Select[*tuple[Json, ...]]:
    if search.context is not None:
        chosen = chosen.where(_V.context == search.context)
    if search.prefix:
        # A range, not LIKE: an index serves it, and nothing in the prefix can be a wildcard.
        last = search.prefix + _AFTER_EVERY_CHARACTER
        chosen = chosen.where(_V.subject >= search.prefix, _V.subject < last)
    return chosen


def _paged(chosen: Select[*tuple[Json, ...]], search: Search) -> Select[*tuple[Json, ...]]:
    if search.limit >= 0:
        chosen = chosen.limit(search.limit)
    elif search.offset:
        chosen = chosen.limit(2**62)  # SQLite knows no OFFSET without LIMIT
    return chosen.offset(search.offset) if search.offset else chosen


def _schema_row(row: Row[*tuple[Json, ...]]) -> SchemaRow:
    return SchemaRow(
        context=row.context,
        id=row.id,
        content=_content(row.text, row.refs, row.metadata, row.rule_set),
        content_sha256=bytes(row.content_sha256),
        resolved_sha256=bytes(row.resolved_sha256),
        guid=row.guid,
        created_at=row.created_at,
    )


def _joined_schema(row: Row[*tuple[Json, ...]]) -> SchemaRow:
    return SchemaRow(
        context=row.context,
        id=row.schema_id,
        content=_content(row.s_text, row.s_refs, row.s_metadata, row.s_rule_set),
        content_sha256=bytes(row.s_content),
        resolved_sha256=bytes(row.s_resolved),
        guid=row.s_guid,
        created_at=row.s_created_at,
    )


def _content(text: str, refs: str | None, metadata: str | None, rule_set: str | None) -> Content:
    references = () if refs is None else tuple(Reference(*item) for item in json.loads(refs))
    return Content(text, references, _json(metadata), _json(rule_set))


def _json(text: str | None) -> Mapping[str, Json] | None:
    return None if text is None else dict(json.loads(text))
