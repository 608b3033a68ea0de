"""The body of a registration, a lookup or a compatibility check, read into a value.

Unknown members are ignored at every depth; ``null`` is absent; a member of the wrong JSON type is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from treaty.registry.errors import InvalidBody, InvalidRuleSet, InvalidSchema, InvalidSchemaType, SchemaTooLarge
from treaty.registry.rows import Json, Reference
from treaty.registry.settings import Limits

T = TypeVar("T")

_MODES: Final = {
    "migrationRules": ("UPGRADE", "DOWNGRADE", "UPDOWN"),
    "domainRules": ("WRITE", "READ", "WRITEREAD"),
    "encodingRules": ("WRITE", "READ", "WRITEREAD"),
}
"""Which modes rules of a list may have."""

RULE_LISTS: Final = ("migrationRules", "domainRules", "encodingRules")
_RULE_MEMBERS: Final[Mapping[str, type[Json]]] = {
    "name": str, "doc": str, "kind": str, "mode": str, "type": str, "tags": list, "params": dict, "expr": str,
    "onSuccess": str, "onFailure": str, "disabled": bool,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRequest:
    """What was sent. ``id`` and ``version`` None: not asked for; ``version`` -1: the newest, and say its number in the metadata.

    ``text`` "" : take the latest version's.
    """

    text: str
    references: tuple[Reference, ...] = ()
    metadata: Mapping[str, Json] | None = None
    rule_set: Mapping[str, Json] | None = None
    id: int | None = None
    version: int | None = None


def schema_request(body: Json, *, limits: Limits) -> SchemaRequest:
    """Read a body; raises ``InvalidBody``, ``InvalidSchemaType``, ``SchemaTooLarge``, ``InvalidRuleSet``, ``InvalidSchema``."""
    body = require_object(body)
    schema_type = _member(body, "schemaType", str) or "AVRO"
    if schema_type.upper() != "AVRO":
        raise InvalidSchemaType(schema_type)
    text = _member(body, "schema", str) or ""
    if len(text.encode("utf-8", "surrogatepass")) > limits.schema_bytes:
        raise SchemaTooLarge
    metadata, rule_set = metadata_of(body, "metadata"), rule_set_of(body, "ruleSet")
    require_small(limits, metadata, rule_set)
    return SchemaRequest(
        text=text,
        references=_references(body, limits),
        metadata=metadata,
        rule_set=rule_set,
        id=_asked(_int(body, "id"), absent=-1),
        version=_asked(_int(body, "version"), absent=0),
    )


def require_small(limits: Limits, *extras: Mapping[str, Json] | None) -> None:
    """Raise ``SchemaTooLarge`` if metadata and rule sets together are larger than the limit."""
    if len(json.dumps(extras)) > limits.extras_bytes:
        raise SchemaTooLarge


def require_object(body: Json) -> Mapping[str, Json]:
    """The body itself, if it is a JSON object."""
    if not isinstance(body, dict):
        raise InvalidBody("it has to be a JSON object")
    return body


def _references(body: Mapping[str, Json], limits: Limits) -> tuple[Reference, ...]:
    sent = _member(body, "references", list) or []
    if len(sent) > limits.references:
        raise InvalidSchema(f"{len(sent)} references; the limit is {limits.references}")
    return tuple(_reference(item) for item in sent)


def _reference(item: Json) -> Reference:
    item = require_object(item)
    name, subject, version = _member(item, "name", str), _member(item, "subject", str), _int(item, "version")
    if not name or not subject or version is None:
        raise InvalidSchema("a reference needs name, subject and version")
    return Reference(name, subject, version)


def metadata_of(body: Mapping[str, Json], member: str) -> Mapping[str, Json] | None:
    """The metadata in a member of a body, or None; raises ``InvalidBody``."""
    sent = _member(body, member, dict)
    if sent is None:
        return None
    kinds: Mapping[str, type[Json]] = {"tags": dict, "properties": dict, "sensitive": list}
    kept: dict[str, Json] = {
        key: value for key, kind in kinds.items() if (value := _member(sent, key, kind)) is not None
    }
    for key, value in kept.get("properties", {}).items():
        if not isinstance(value, str):
            raise InvalidBody(f"{member}.properties.{key} has to be a string")
    for key, value in kept.get("tags", {}).items():
        if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
            raise InvalidBody(f"{member}.tags.{key} has to be a list of strings")
    if not all(isinstance(item, str) for item in kept.get("sensitive", [])):
        raise InvalidBody(f"{member}.sensitive has to be a list of strings")
    return kept


def rule_set_of(body: Mapping[str, Json], member: str) -> Mapping[str, Json] | None:
    """The rule set in a member of a body, or None; raises ``InvalidBody``, ``InvalidRuleSet``."""
    sent = _member(body, member, dict)
    if sent is None:
        return None
    kept: dict[str, Json] = {}
    seen: set[str] = set()
    for key in RULE_LISTS:
        rules = _member(sent, key, list)
        if rules is not None:
            kept[key] = [_rule(rule, seen, key) for rule in rules]
    if (enable_at := _int(sent, "enableAt")) is not None:
        kept["enableAt"] = enable_at
    return kept


def _rule(sent: Json, seen: set[str], key: str) -> Mapping[str, Json]:
    sent = require_object(sent)
    rule = {key: value for key, kind in _RULE_MEMBERS.items() if (value := _member(sent, key, kind)) is not None}
    if not rule.get("name"):
        raise InvalidRuleSet("Missing rule name")
    _require_texts("ruleSet rule tags", rule.get("tags", []))
    _require_texts("ruleSet rule params", rule.get("params", {}).values())
    if not rule.get("type"):
        raise InvalidRuleSet("Missing rule type")
    modes, kind = _MODES[key], key.removesuffix("Rules").capitalize()
    if "mode" in rule and rule["mode"] not in modes:
        raise InvalidRuleSet(f"{kind} rules can only be {', '.join(modes)}")
    if rule["name"] in seen:
        raise InvalidRuleSet(f"Found rule with duplicate name '{rule['name']}'")
    seen.add(cast("str", rule["name"]))
    return rule


def _require_texts(where: str, values: Iterable[Json]) -> None:
    # Clients read them as texts; numbers beyond a double, which JSON cannot say, would come in this way too.
    if not all(isinstance(value, str) for value in values):
        raise InvalidBody(f"{where} have to be strings")


def _member(body: Mapping[str, Json], key: str, kind: type[T]) -> T | None:
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, kind):
        words = {str: "a string", list: "a list", dict: "an object", bool: "true or false"}
        raise InvalidBody(f"{key} has to be {words[kind]}")
    return value


def _int(body: Mapping[str, Json], key: str) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidBody(f"{key} has to be an integer")
    bits = 63 if key == "enableAt" else 31
    if not -1 <= value < 2**bits:
        raise InvalidBody(f"{key} has to be between -1 and 2^{bits}-1")
    return value


def _asked(value: int | None, *, absent: int) -> int | None:
    return None if value == absent else value
