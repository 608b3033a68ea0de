"""The shapes of requests and answers for ``openapi``, by the names of the routes' functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from treaty.registry.decisions.config_change import LEVELS
from treaty.registry.rows import Json

Shape = Mapping[str, Json]

_TEXT: Final[Shape] = {"type": "string"}
_INT: Final[Shape] = {"type": "integer"}
_BOOL: Final[Shape] = {"type": "boolean"}
_LEVEL: Final[Shape] = {"type": "string", "enum": sorted(LEVELS)}
_MODE: Final[Shape] = {"type": "string", "enum": ["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT"]}


def _ref(name: str) -> Shape:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Shape) -> Shape:
    return {"type": "array", "items": items}


def _map(values: Shape) -> Shape:
    return {"type": "object", "additionalProperties": values}


def _object(members: Mapping[str, Json], *required: str) -> Shape:
    return {"type": "object", "properties": members, **({"required": list(required)} if required else {})}


_SAID: Final[Shape] = {
    "schemaType": {"type": "string", "enum": ["AVRO"]},
    "references": _list(_ref("Reference")),
    "metadata": _ref("Metadata"),
    "ruleSet": _ref("RuleSet"),
}
_KEPT: Final[Shape] = {**_SAID, "schema": _TEXT, "guid": _TEXT, "ts": _INT}
_TAGS: Final[Shape] = _list(
    _object({"schemaEntity": _object({"entityPath": _TEXT, "entityType": _TEXT}), "tags": _list(_TEXT)})
)
_GOVERNED: Final[Shape] = {
    "alias": _TEXT, "aliasForDeks": _TEXT, "normalize": _BOOL, "validateFields": _BOOL, "validateNewSchemas": _BOOL,
    "validateRules": _BOOL, "compatibilityPolicy": _TEXT, "compatibilityGroup": _TEXT,
    "defaultMetadata": _ref("Metadata"), "overrideMetadata": _ref("Metadata"),
    "defaultRuleSet": _ref("RuleSet"), "overrideRuleSet": _ref("RuleSet"),
}  # fmt: skip

SHAPES: Final[Mapping[str, Shape]] = {
    "Error": _object({"error_code": _INT, "message": _TEXT}, "error_code", "message"),
    "Reference": _object({"name": _TEXT, "subject": _TEXT, "version": _INT}, "name", "subject", "version"),
    "Metadata": _object({"tags": _map(_list(_TEXT)), "properties": _map(_TEXT), "sensitive": _list(_TEXT)}),
    "Rule": _object(
        {
            "name": _TEXT,
            "doc": _TEXT,
            "kind": _TEXT,
            "mode": _TEXT,
            "type": _TEXT,
            "tags": _list(_TEXT),
            "params": _map(_TEXT),
            "expr": _TEXT,
            "onSuccess": _TEXT,
            "onFailure": _TEXT,
            "disabled": _BOOL,
        },
        "name",
        "type",
    ),
    "RuleSet": _object(
        {
            "migrationRules": _list(_ref("Rule")),
            "domainRules": _list(_ref("Rule")),
            "encodingRules": _list(_ref("Rule")),
            "enableAt": _INT,
        }
    ),
    "SchemaRequest": _object({**_SAID, "schema": _TEXT, "id": _INT, "version": _INT}),
    "Registered": _object({**_KEPT, "id": _INT, "version": _INT}, "id"),
    "Version": _object(
        {**_KEPT, "subject": _TEXT, "version": _INT, "id": _INT, "deleted": _BOOL, "schemaTags": _TAGS},
        "subject",
        "version",
        "id",
        "schema",
    ),
    "ListedVersion": {"allOf": [_ref("Version"), _object({"aliases": _list(_TEXT)})]},
    "Schema": _object({**_KEPT, "subject": _TEXT, "version": _INT, "maxId": _INT, "schemaTags": _TAGS}, "schema"),
    "User": _object({"subject": _TEXT, "version": _INT}, "subject", "version"),
    "Judgement": _object({"is_compatible": _BOOL, "messages": _list(_TEXT)}, "is_compatible"),
    "Explanation": _object(
        {"is_compatible": _BOOL, "level": _LEVEL, "findings": _list(_ref("Finding")), "more": _BOOL},
        "is_compatible",
        "level",
        "findings",
    ),
    "Finding": _object(
        {
            **dict.fromkeys(("rule", "path", "before", "after", "message", "fix", "pointer", "fingerprint"), _TEXT),
            "category": {"type": "string", "enum": ["wire", "meaning"]},
            "severity": {"type": "string", "enum": ["error", "warning", "info"]},
            "version": _INT,
            "fails": _list(_TEXT),
            "line": _INT,
            "column": _INT,
            "proof": _map(_TEXT),
        },
        "rule",
        "category",
        "severity",
        "version",
        "path",
        "fails",
        "message",
    ),
    "Config": _object({"compatibilityLevel": _LEVEL, **_GOVERNED}),
    "ConfigChange": _object({"compatibility": _LEVEL, **_GOVERNED}),
    "Mode": _object({"mode": {"anyOf": [_MODE, {"type": "null"}]}}, "mode"),
    "AvroText": {"description": "The schema itself."},
}

_FLAGS: Final[Mapping[str, str]] = {
    "deleted": "Deleted ones too.",
    "deletedOnly": "Only deleted ones.",
    "deletedAsNegative": "Deleted ones as negative numbers.",
    "permanent": "For good; only what was deleted before.",
    "normalize": "Bring the schema to its normal form first.",
    "force": "Although compatibility or existing subjects speak against it.",
    "verbose": "Say why not.",
    "defaultToGlobal": "What holds, wherever it is set.",
    "recursive": "The context's subjects too.",
    "latestOnly": "Only the newest version of each subject.",
    "aliases": "What aliases of the prefix stand for, too.",
    "fetchMaxId": "The highest id of the context as maxId.",
}
_TEXTS: Final[Mapping[str, str]] = {
    "subjectPrefix": "How the names begin; :*: for every context.",
    "contextPrefix": "How the contexts' names begin.",
    "format": "resolved: with references inlined.",
    "referenceFormat": "qualified: references with their context.",
    "ruleType": "Only schemas with such a rule.",
}

PARAMETERS: Final[Mapping[str, Shape]] = {
    "subject": {"schema": {"type": "string", "minLength": 1}, "description": "A subject, :.context:subject outside."},
    "version": {"schema": _TEXT, "description": "A number, or latest."},
    "id": {"schema": {"type": "integer", "format": "int32"}},
    "guid": {"schema": {"type": "string", "minLength": 1}},
    "context": {"schema": {"type": "string", "minLength": 1}},
    "offset": {"schema": {"type": "integer", "minimum": 0}},
    "before": {"schema": _INT, "description": "Entries before this one."},
    "limit": {"schema": _INT, "description": "Below 1: as many as there are, or as one answer may hold."},
    "key": {"schema": _list(_TEXT), "description": "A property's name; belongs to the value at the same place."},
    "value": {"schema": _list(_TEXT)},
    "findTags": {"schema": _list(_TEXT), "description": "Where in the schema these tags stand; * for any."},
    **{name: {"schema": _BOOL, "description": text} for name, text in _FLAGS.items()},
    **{name: {"schema": _TEXT, "description": text} for name, text in _TEXTS.items()},
}

_SHOWN: Final = ("format", "referenceFormat", "findTags")
_PAGE: Final = ("offset", "limit")

QUERIES: Final[Mapping[str, tuple[str, ...]]] = {
    "list_schemas": ("subjectPrefix", "deleted", "latestOnly", "aliases", "ruleType", *_PAGE),
    "by_id": ("subject", "fetchMaxId", *_SHOWN),
    "by_id_text": ("subject", "format"),
    "list_users": ("subject", "deleted", *_PAGE),
    "list_user_subjects": ("subject", "deleted", *_PAGE),
    "by_guid": ("format",),
    "list_subjects": ("subjectPrefix", "deleted", "deletedOnly", *_PAGE),
    "look_up": ("normalize", "format", "deleted"),
    "delete_subject": ("permanent",),
    "list_versions": ("deleted", "deletedOnly", "deletedAsNegative", *_PAGE),
    "register": ("normalize", "force"),
    "latest_with_metadata": ("key", "value", "format", "deleted"),
    "read_version": ("deleted", *_SHOWN),
    "read_version_text": ("deleted", "format"),
    "delete_version": ("permanent",),
    "list_referrers": ("deleted", *_PAGE),
    "check_all": ("normalize", "verbose"),
    "check_one": ("normalize", "verbose"),
    "explain": ("normalize",),
    "read_config": ("defaultToGlobal",),
    "read_mode": ("defaultToGlobal",),
    "write_mode": ("force",),
    "delete_mode": ("recursive",),
    "list_contexts": ("contextPrefix", *_PAGE),
    "list_audit": ("before", "limit"),
}

BODIES: Final[Mapping[str, str]] = {
    "look_up": "SchemaRequest",
    "register": "SchemaRequest",
    "check_all": "SchemaRequest",
    "check_one": "SchemaRequest",
    "explain": "SchemaRequest",
    "write_config": "ConfigChange",
    "write_mode": "Mode",
}

_HEALTH: Final[Shape] = _map(_TEXT)
ANSWERS: Final[Mapping[str, str | Shape | None]] = {
    "healthz": _HEALTH,
    "readyz": _HEALTH,
    "master_available": _object({"master_available": _BOOL}, "master_available"),
    "root": {"type": "object"},
    "server_id": {"type": "object"},
    "server_version": _object({"version": _TEXT, "commitId": _TEXT}, "version", "commitId"),
    "server_deployment": _object({"attributes": _list(_TEXT)}, "attributes"),
    "list_types": _list(_TEXT),
    "list_schemas": _list(_ref("ListedVersion")),
    "by_id": "Schema",
    "by_id_text": "AvroText",
    "list_users": _list(_ref("User")),
    "list_user_subjects": _list(_TEXT),
    "by_guid": "Schema",
    "list_guid_ids": _list(_object({"context": _TEXT, "id": _INT}, "context", "id")),
    "list_subjects": _list(_TEXT),
    "look_up": "Version",
    "delete_subject": _list(_INT),
    "list_versions": _list(_INT),
    "register": "Registered",
    "latest_with_metadata": "Version",
    "read_version": "Version",
    "read_version_text": "AvroText",
    "delete_version": _INT,
    "list_referrers": _list(_INT),
    "check_all": "Judgement",
    "check_one": "Judgement",
    "explain": "Explanation",
    "read_config": "Config",
    "write_config": "ConfigChange",
    "delete_config": "Config",
    "read_mode": "Mode",
    "write_mode": "Mode",
    "delete_mode": "Mode",
    "list_contexts": _list(_TEXT),
    "delete_context": None,
    "undelete": "Version",
    "read_provenance": _map(_TEXT),
    "list_audit": _list({"type": "object"}),
}
