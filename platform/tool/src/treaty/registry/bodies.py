"""The JSON of Confluent's answers, member for member in Confluent's order; empty members are left out."""

from __future__ import annotations

from collections.abc import Mapping

from treaty.registry.rows import Json, SchemaRow
from treaty.registry.service.found import Versioned
from treaty.registry.settings import WireProfile

Body = dict[str, Json]


def version_body(found: Versioned, *, profile: WireProfile, text: str | None = None) -> Body:
    """A version as ``GET /subjects/{s}/versions/{v}`` answers it. ``text`` replaces the stored one."""
    version, schema = found.version, found.schema
    return _filled(
        {
            "subject": str(version.name),
            "version": version.number,
            "id": schema.id,
            "guid": _only_8(schema.guid, profile),
            "schemaType": _only_8("AVRO", profile),
            **_extras(schema),
            "schema": schema.content.text if text is None else text,
            "ts": _only_8(version.created_at, profile),
            "deleted": version.deleted,
        }
    )


def schema_body(schema: SchemaRow, *, profile: WireProfile, text: str | None = None, max_id: int | None = None) -> Body:
    """A schema as ``GET /schemas/ids/{id}`` answers it."""
    return _filled(
        {
            "schema": schema.content.text if text is None else text,
            "schemaType": _only_8("AVRO", profile),
            "guid": _only_8(schema.guid, profile),
            **_extras(schema),
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


def _extras(schema: SchemaRow) -> Body:
    content = schema.content
    return {
        "references": [each.as_json() for each in content.references],
        "metadata": content.metadata,
        "ruleSet": content.rule_set,
    }


def _only_8(value: Json, profile: WireProfile) -> Json:
    return value if profile == "8" else None


def _filled(members: Body, *, keep_false: bool = False) -> Body:
    return {
        key: value
        for key, value in members.items()
        if value is not None and value != [] and (keep_false or value is not False)
    }
