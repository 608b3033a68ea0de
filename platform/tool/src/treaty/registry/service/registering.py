"""Registering and looking up: the way in for schemas.

Laws: a schema that is there already is answered without a lock and before the mode is looked at, so clients that register
at each start work on a read-only registry and write nothing. Everything else is read anew under the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from treaty.registry.decisions import decide
from treaty.registry.decisions.decide import LATEST
from treaty.registry.decisions.identity import says_version, with_version
from treaty.registry.decisions.merge import IMPORT, adds, config_in_scope, mode_in_scope
from treaty.registry.decisions.request import SchemaRequest
from treaty.registry.errors import (
    EmptySchema,
    IncompatibleSchema,
    InvalidSchema,
    ReferenceExists,
    RegistryError,
    SchemaNotFound,
    SubjectNotFound,
)
from treaty.registry.names import Name, require_subject
from treaty.registry.observation import Observe, Registered
from treaty.registry.rows import Json, VersionRow
from treaty.registry.service.found import Versioned, Wanted, complete, homes, meaning_one_of, saying, with_schema
from treaty.registry.service.judging import Judging
from treaty.registry.service.library import Library, Prepared
from treaty.registry.service.retrying import in_write
from treaty.registry.settings import Limits, VersionNumbers
from treaty.registry.stores.protocol import Reader, Store, Writer

_INVALID: Final = 42201


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a schema is to be registered. ``force``: without asking whether it is compatible. ``provenance``: where it is from."""

    normalize: bool = False
    force: bool = False
    provenance: str = ""


class Registering:
    """Registrations and lookups of one registry. ``now_ms``: milliseconds since 1970."""

    def __init__(
        self,
        store: Store,
        library: Library,
        judging: Judging,
        *,
        observe: Observe,
        limits: Limits,
        version_numbers: VersionNumbers,
        now_ms: Callable[[], int],
    ) -> None:
        self._store, self._library, self._judging = store, library, judging
        self._observe, self._limits, self._now_ms = observe, limits, now_ms
        self._numbers_come_again = version_numbers == "confluent"

    def register(self, name: Name, request: SchemaRequest, *, how: How) -> tuple[Versioned, bool]:
        """The version that has this schema now, and whether it is new.

        Raises ``InvalidSubject``, ``InvalidSchema``, ``EmptySchema``, ``IncompatibleSchema``, the 42205 family.
        """
        try:
            found, is_new = self._registered(name, request, how)
        except RegistryError as error:
            self._observe(Registered(_outcome(error)))
            raise
        self._observe(Registered("new" if is_new else "existing"))
        return found, is_new

    def _registered(self, name: Name, request: SchemaRequest, how: How) -> tuple[Versioned, bool]:
        require_subject(name)
        found = self._existing(name, request, normalize=how.normalize)
        if found is not None:
            return found, False
        others = {each.target(name.context) for each in request.references}
        return in_write(
            self._store,
            name,
            lambda writer: self._decided(writer, name, request, how),
            others=others,
            observe=self._observe,
        )

    def look_up(self, name: Name, request: SchemaRequest, *, normalize: bool, deleted: bool) -> Versioned:
        """The version that says what the request says; never writes. Raises ``SubjectNotFound``, ``SchemaNotFound``."""
        with self._store.read() as reader:
            config = config_in_scope(reader.config, name)
            wanted = Wanted(config=config, normalize=_normalizes(normalize, config), deleted=deleted)
            for home in homes(reader, name):
                found = self._said(reader, home, request, wanted)
                if found is not None:
                    return found
            rows = (row for home in homes(reader, name) for row in reader.versions(home))
            known = any(deleted or not row.deleted for row in rows)
        raise SchemaNotFound if known else SubjectNotFound(name)

    def _said(self, reader: Reader, home: Name, request: SchemaRequest, wanted: Wanted) -> Versioned | None:
        try:
            return saying(reader, self._library, home, request, wanted=wanted)
        except (EmptySchema, InvalidSchema):
            # Where there is no such subject, what a schema refers to is not looked for either.
            if reader.versions(home):
                raise
            return None

    def _existing(self, name: Name, request: SchemaRequest, *, normalize: bool) -> Versioned | None:
        with self._store.read() as reader:
            config = config_in_scope(reader.config, name)
            if not request.text or adds(config):
                return None
            latest = reader.latest(name) if request.version == LATEST else None
            if request.version == LATEST and latest is None:
                return None
            only = None if latest is None else latest.number
            wanted = Wanted(config=config, normalize=_normalizes(normalize, config), deleted=False, only=only)
            found = saying(reader, self._library, name, request, wanted=wanted)
        if found is None:
            return None
        asked = decide.answers(found.version, asked_id=request.id, asked_version=request.version)
        return found if asked else None

    def _decided(self, writer: Writer, name: Name, request: SchemaRequest, how: How) -> tuple[Versioned, bool]:
        mode = mode_in_scope(writer.mode, name)
        refusal = decide.mode_refuses(name, mode, asked_id=request.id)
        if refusal is not None:
            raise refusal
        versions = writer.versions(name)
        number = self._next_number(writer, name, versions)
        prepared = self._prepared(writer, name, request, normalize=how.normalize, mode=mode, number=number)
        decision = decide.register(
            self._facts(writer, name, prepared, mode=mode, asked_id=request.id, versions=versions, number=number),
            asked_id=request.id,
            asked_version=request.version,
            judge=lambda: () if how.force else self._judging.reasons(writer, name, prepared),
        )
        if isinstance(decision, decide.Refused):
            raise decision.error
        if isinstance(decision, decide.Existing):
            return with_schema(writer, decision.version), False
        return self._stored(writer, name, prepared, decision, provenance=how.provenance), True

    def _next_number(self, writer: Writer, name: Name, versions: Sequence[VersionRow]) -> int:
        highest = versions[-1].number if versions else 0
        return 1 + (highest if self._numbers_come_again else max(highest, writer.last_version(name)))

    def _prepared(
        self, writer: Writer, name: Name, request: SchemaRequest, *, normalize: bool, mode: str, number: int
    ) -> Prepared:
        config = config_in_scope(writer.config, name)
        importing = mode == IMPORT
        if not importing:
            request = complete(writer, name, request, config)
            if request.version is not None or says_version(request.metadata):
                request = replace(request, metadata=with_version(request.metadata, number))
        lenient = request.id is not None or config.get("validateNewSchemas") is False
        return self._library.prepare(
            writer,
            name.context,
            request,
            normalize=_normalizes(normalize, config) and not importing,
            rules="stored" if lenient else "new",
            deleted=request.id is not None,
        )

    def _facts(
        self,
        writer: Writer,
        name: Name,
        prepared: Prepared,
        *,
        mode: str,
        asked_id: int | None,
        versions: Sequence[VersionRow],
        number: int,
    ) -> decide.RegisterFacts:
        resolving = writer.resolving_to(name, prepared.resolved_sha256)
        # What no version of the subject resolves to is none of its contents: whether the context has it already is then
        # found out by the statement that stores it.
        is_asked = bool(resolving) or asked_id is not None
        same = writer.by_content(name.context, prepared.content_sha256) if is_asked else None
        asked = None if asked_id is None else writer.schema(name.context, asked_id)
        if asked is not None and asked.content_sha256 == prepared.content_sha256:
            same = asked
        live = [row for row in resolving if not row.deleted]
        twins = meaning_one_of(writer, live, prepared.content.metadata)
        return decide.RegisterFacts(
            name=name,
            mode=mode,
            versions=versions,
            next_number=number,
            same_id=None if same is None else same.id,
            asked_id_is_taken=asked is not None and asked is not same,
            twin=twins[0].version if twins else None,
            max_versions=self._limits.versions,
        )

    def _stored(
        self, writer: Writer, name: Name, prepared: Prepared, decision: decide.NewVersion, *, provenance: str
    ) -> Versioned:
        now = self._now_ms()
        schema_id = decision.schema_id
        rows = writer.versions(name)
        before = [row for row in rows if row.schema_id == schema_id and row.number != decision.number]
        old = next((row for row in rows if row.number == decision.number), None)
        if old is not None and old.schema_id == schema_id:
            writer.restore(name, old.number)
            return with_schema(writer, replace(old, deleted=False))
        if old is not None:
            if writer.referrers(name, old.number):
                raise ReferenceExists(name, old.number)
            writer.remove(name, [old.number])
        # The new version comes first: the schema must not lose its last version, and so itself, in between.
        version = self._added(writer, name, prepared, decision, now=now, provenance=provenance)
        replaced = [row.number for row in before if row.deleted and not writer.referrers(name, row.number)]
        if replaced:
            writer.remove(name, replaced)
        return with_schema(writer, version)

    def _added(
        self,
        writer: Writer,
        name: Name,
        prepared: Prepared,
        decision: decide.NewVersion,
        *,
        now: int,
        provenance: str,
    ) -> VersionRow:
        if decision.schema_id is None:
            schema = prepared.row(schema_id=decision.new_id, created_at=now)
            return writer.register(name, decision.number, schema, provenance=provenance)
        version = VersionRow(
            name=name,
            number=decision.number,
            schema_id=decision.schema_id,
            resolved_sha256=prepared.resolved_sha256,
            deleted=False,
            created_at=now,
        )
        writer.add_version(version, provenance=provenance)
        return version


def _normalizes(asked: bool, config: Mapping[str, Json]) -> bool:  # one question of two parts
    return asked or config.get("normalize") is True


def _outcome(error: RegistryError) -> Literal["incompatible", "invalid", "refused"]:
    if isinstance(error, IncompatibleSchema):
        return "incompatible"
    return "invalid" if error.code == _INVALID else "refused"
