"""The JSON of Confluent's answers, member for member in Confluent's order; empty members are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from treaty.registry.rows import Json, Reference, SchemaRow
from treaty.registry.service.found import Versioned
from treaty.registry.service.reading import Listed
from treaty.registry.settings import WireProfile

Body = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a schema is shown. ``text`` replaces the stored one; ``qualified``: references outside the default context with
    theirs; ``tags``: members of ``schemaTags``."""

    text: str | None = None
    qualified: bool = False
    tags: Sequence[Json] = ()


AS_STORED: Final = View()


def version_body(found: Versioned, *, profile: WireProfile, view: View = AS_STORED) -> Body:
    """A version as ``GET /subjects/{s}/versions/{v}`` answers it."""
    version, schema = found.version, found.schema
    return _filled(
        {
            "subject": str(version.name),
            "version": version.number,
            "id": schema.id,
            "guid": _only_8(schema.guid, profile),
            "schemaType": _only_8("AVRO", profile),
            **_extras(schema, qualified=view.qualified),
            "schema": schema.content.text if view.text is None else view.text,
            "schemaTags": list(view.tags),
            "ts": _only_8(version.created_at, profile),
            "deleted": version.deleted,
        }
    )


def schema_body(schema: SchemaRow, *, profile: WireProfile, view: View = AS_STORED, max_id: int | None = None) -> Body:
    """A schema as ``GET /schemas/ids/{id}`` answers it."""
    return _filled(
        {
            "schema": schema.content.text if view.text is None else view.text,
            "schemaType": _only_8("AVRO", profile),
            "guid": _only_8(schema.guid, profile),
            **_extras(schema, qualified=view.qualified),
            "schemaTags": list(view.tags),
            "ts": _only_8(schema.created_at, profile),
            "maxId": max_id,
        }
    )


def registered_body(found: Versioned, *, profile: WireProfile) -> Body:
    """What a registration answers: everything, or to old clients the id alone."""
    if profile == "7":
        return {"id": found.schema.id}
    return _filled(
        {
            "id": found.schema.id,
            "version": found.version.number,
            "guid": found.schema.guid,
            "schemaType": "AVRO",
            "schema": found.schema.content.text,
            **_extras(found.schema),
            "ts": found.version.created_at,
        }
    )


def config_body(config: Mapping[str, Json], *, level_key: str) -> Body:
    """A config, its level under the name that this answer uses (``compatibility`` or ``compatibilityLevel``)."""
    rest = {key: value for key, value in config.items() if key != "compatibility"}
    return _filled({level_key: config.get("compatibility"), **rest}, keep_false=True)


def listed_body(listed: Listed, *, profile: WireProfile) -> Body:
    """A version as ``GET /schemas`` answers it."""
    return _filled({**version_body(listed.found, profile=profile), "aliases": list(map(str, listed.aliases))})


def _extras(schema: SchemaRow, *, qualified: bool = False) -> Body:
    content = schema.content
    return {
        "references": [_reference(each, schema.context, qualified=qualified) for each in content.references],
        "metadata": content.metadata,
        "ruleSet": content.rule_set,
    }


def _reference(reference: Reference, context: str, *, qualified: bool) -> Body:
    members = reference.as_json()
    return {**members, "subject": str(reference.target(context))} if qualified else members


def _only_8(value: Json, profile: WireProfile) -> Json:
    return value if profile == "8" else None


def _filled(members: Body, *, keep_false: bool = False) -> Body:
    return {
        key: value
        for key, value in members.items()
        if value is not None and value != [] and (keep_false or value is not False)
    }
