"""Compatibility: would this schema be let in, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import treaty_avro as avro
from treaty.registry.decisions.breaking import Newcomer, refusals
from treaty.registry.decisions.decide import LATEST
from treaty.registry.decisions.merge import config_in_scope
from treaty.registry.decisions.request import SchemaRequest
from treaty.registry.decisions.reserved import reserved_messages
from treaty.registry.errors import EmptySchema, InvalidSchema, VersionNotFound
from treaty.registry.names import Name
from treaty.registry.observation import Checked, Observe, Remembered
from treaty.registry.rows import Content, Json, VersionRow
from treaty.registry.service.found import Versioned, complete, numbered, with_schemas
from treaty.registry.service.library import Library, Prepared
from treaty.registry.service.verdicts import Verdicts
from treaty.registry.stores.protocol import Reader, Store


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a compatibility check answers; ``messages`` say why not."""

    is_compatible: bool
    messages: tuple[str, ...] = ()


class Judging:
    """Compatibility checks of one registry."""

    def __init__(
        self, store: Store, library: Library, verdicts: Verdicts, *, observe: Observe, refuses_meaning: bool
    ) -> None:
        """``refuses_meaning``: a schema that is read, but as something else, is incompatible too."""
        self._store, self._library, self._verdicts, self._observe = store, library, verdicts, observe
        self._refuses_meaning = refuses_meaning

    def check(
        self, name: Name, request: SchemaRequest, *, version: int | None, normalize: bool, verbose: bool
    ) -> Judgement:
        """Judge a schema against all live versions its level asks for, or against one (``LATEST`` of nothing: compatible).

        Raises ``VersionNotFound``; ``InvalidSchema`` unless ``verbose``, which makes it a message.
        """
        with self._store.read() as reader:
            # The config first: a store that is asked for it reads the latest version with it.
            config = config_in_scope(reader.config, name)
            rows = self._asked(reader, name, version)
            try:
                prepared = self.prepared(reader, name, request, config, normalize=normalize)
                messages = self.messages(reader, config, prepared, rows)
            except (InvalidSchema, EmptySchema) as error:
                if not verbose:
                    raise
                return Judgement(is_compatible=False, messages=(str(error),))
        return Judgement(not messages, tuple(messages))

    def prepared(
        self, reader: Reader, name: Name, request: SchemaRequest, config: Mapping[str, Json], *, normalize: bool
    ) -> Prepared:
        """The schema as it would be registered. Raises ``InvalidSchema``, ``EmptySchema``."""
        return self._library.prepare(
            reader,
            name.context,
            complete(reader, name, request, config),
            normalize=normalize or config.get("normalize") is True,
            rules="stored" if config.get("validateNewSchemas") is False else "new",
            deleted=False,
        )

    def reasons(self, reader: Reader, name: Name, prepared: Prepared) -> Sequence[str]:
        """Why the schema may not follow the live versions of the subject; empty: it may."""
        return self.messages(reader, config_in_scope(reader.config, name), prepared, self._asked(reader, name, None))

    def _asked(self, reader: Reader, name: Name, version: int | None) -> Sequence[VersionRow]:
        if version is None:
            return [row for row in reader.versions(name) if not row.deleted]
        row = numbered(reader, name, version, deleted=False)
        if row is None and version != LATEST:
            raise VersionNotFound(version)
        return [] if row is None else [row]

    def messages(
        self, reader: Reader, config: Mapping[str, Json], prepared: Prepared, rows: Sequence[VersionRow]
    ) -> list[str]:
        """Why the schema may not follow ``rows``, live versions, oldest first; empty: it may. Raises ``InvalidSchema`` where there
        is too much to compare."""
        level = cast("avro.Level", config["compatibility"])
        validates = config.get("validateFields") is True
        messages: list[str] = []
        if validates:
            previous = with_schemas(reader, rows[-1:])
            content = previous[0].schema.content if previous else None
            messages += reserved_messages(prepared.schema, prepared.content, previous=content)
        if level != "NONE" and rows:
            messages += self._incompatibilities(reader, config, prepared, rows)
            self._observe(Checked(level, "incompatible" if messages else "compatible"))
        if messages:
            messages.append(f"{{validateFields: '{str(validates).lower()}', compatibility: '{level}'}}")
        return messages

    def _incompatibilities(
        self, reader: Reader, config: Mapping[str, Json], prepared: Prepared, rows: Sequence[VersionRow]
    ) -> list[str]:
        level = cast("avro.Level", config["compatibility"])
        open_rows = rows if self._refuses_meaning else self._undecided(config, prepared, rows)
        if not open_rows:
            return []
        history = self.compared(reader, config, prepared, open_rows)
        try:
            verdict = avro.check(avro.Version(None, prepared.schema, prepared.content.text), history, level)
        except avro.SchemaError as error:  # each of both is within the limits, and the pairs of their types are not
            raise InvalidSchema(error) from error
        if verdict.is_compatible and not config.get("compatibilityGroup"):
            compared = {each.number for each in history}
            olds = (row.resolved_sha256 for row in open_rows if row.number in compared)
            self._verdicts.keep(prepared.resolved_sha256, olds, level=level)
        messages = avro.confluent_messages(verdict)
        if messages or not self._refuses_meaning:
            return messages
        return refusals(self.newcomer(reader, config, prepared, rows), reversed(history))

    def _undecided(
        self, config: Mapping[str, Json], prepared: Prepared, rows: Sequence[VersionRow]
    ) -> Sequence[VersionRow]:
        """The versions that the level asks for and that the schema was not compared with before."""
        if config.get("compatibilityGroup"):
            return rows
        level = config["compatibility"]
        asked = rows if level.endswith("_TRANSITIVE") else rows[-1:]
        still_open = self._verdicts.open(prepared.resolved_sha256, [row.resolved_sha256 for row in asked], level=level)
        found = [row for row in asked if row.resolved_sha256 in still_open]
        self._observe(Remembered("verdicts", hit=not found))
        return found

    def newcomer(
        self, reader: Reader, config: Mapping[str, Json], prepared: Prepared, rows: Sequence[VersionRow]
    ) -> Newcomer:
        """The schema as the rules of breaking changes look at it."""
        return Newcomer(
            schema=prepared.schema,
            level=config["compatibility"],
            every=lambda: [self._version(reader, each).schema for each in with_schemas(reader, rows)],
        )

    def compared(
        self, reader: Reader, config: Mapping[str, Json], prepared: Prepared, rows: Sequence[VersionRow]
    ) -> list[avro.Version]:
        """The versions of ``rows`` that the level and the group ask for, oldest first."""
        group = config.get("compatibilityGroup")
        if not group and not config["compatibility"].endswith("_TRANSITIVE"):
            rows = rows[-1:]
        history = with_schemas(reader, rows)
        if group:
            wanted = _property(prepared.content, group)
            history = [each for each in history if _property(each.schema.content, group) == wanted]
        return [self._version(reader, each) for each in history]

    def _version(self, reader: Reader, each: Versioned) -> avro.Version:
        parsed = self._library.stored(reader, each.schema)
        return avro.Version(each.version.number, parsed.schema, each.schema.content.text)


def _property(content: Content, key: str) -> str | None:
    properties = (content.metadata or {}).get("properties") or {}
    return cast("str | None", properties.get(key))
