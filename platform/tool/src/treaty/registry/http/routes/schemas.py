"""``/schemas``: by id, by guid, all."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from treaty.registry.errors import NotFound
from treaty.registry.http.bodies import listed_body, schema_body
from treaty.registry.http.call import Call, Reply, Route
from treaty.registry.rows import Json, SchemaRow, VersionRow


def list_types(_call: Call) -> Json:
    """The kinds of schema that are kept."""
    return ["AVRO"]


def list_schemas(call: Call) -> Json:
    """All versions, by subject and number."""
    search = replace(call.search("", most=1000), latest_only=call.flag("latestOnly"))
    aliases = call.aliases if call.flag("aliases") else {}
    found = call.service.reading.listed(search, aliases=aliases, rule_type=call.text("ruleType") or "")
    return [listed_body(each, profile=call.profile) for each in found]


def by_id(call: Call) -> Reply:
    """The schema of an id."""
    found = call.service.reading.by_id(call.schema_id, near=call.near, with_max_id=call.flag("fetchMaxId"))
    max_id = found.max_id
    body = schema_body(found.schema, profile=call.profile, view=call.view(found.schema), max_id=max_id)
    if found.version is not None:
        body = {"subject": str(found.version.name), "version": found.version.number, **body}
    return Reply(body, headers=_tag(found.schema), is_immutable=max_id is None and _is_fixed(call))


def by_id_text(call: Call) -> Reply:
    """The schema of an id, alone."""
    schema = call.service.reading.by_id(call.schema_id, near=call.near).schema
    text = call.view(schema).text or schema.content.text
    return Reply(text=text, headers=_tag(schema), is_immutable=_is_fixed(call))


def list_users(call: Call) -> Json:
    """The versions that have a schema."""
    return [{"subject": str(row.name), "version": row.number} for row in _users(call)]


def list_user_subjects(call: Call) -> Json:
    """The subjects that have a schema."""
    offset, limit = call.page()
    names = list(dict.fromkeys(str(row.name) for row in _all_users(call)))
    return names[offset : None if limit < 0 else offset + limit]


def by_guid(call: Call) -> Json:
    """The schema of a guid."""
    schema = _by_guid(call)[0]
    return schema_body(schema, profile=call.profile, view=call.view(schema))


def list_guid_ids(call: Call) -> Json:
    """The ids that a guid stands for."""
    return [{"context": schema.context, "id": schema.id} for schema in _by_guid(call)]


def _users(call: Call) -> list[VersionRow]:
    offset, limit = call.page()
    return _all_users(call)[offset : None if limit < 0 else offset + limit]


def _all_users(call: Call) -> list[VersionRow]:
    return list(call.service.reading.users(call.schema_id, near=call.near, deleted=call.flag("deleted")))


def _by_guid(call: Call) -> list[SchemaRow]:
    if call.profile == "7":
        raise NotFound
    return list(call.service.reading.by_guid(call.params["guid"].lower()))


def _tag(schema: SchemaRow) -> dict[str, str]:
    return {"ETag": f'"{schema.guid}"'}


def _is_fixed(call: Call) -> bool:
    """Which context a subject picks can change with the next registration; an id in a named context cannot."""
    return call.near is None or not call.near.subject


ROUTES: Final = (
    Route("GET", "/schemas", list_schemas),
    Route("GET", "/schemas/types", list_types),
    Route("GET", "/schemas/ids/{id}", by_id),
    Route("GET", "/schemas/ids/{id}/schema", by_id_text),
    Route("GET", "/schemas/ids/{id}/subjects", list_user_subjects),
    Route("GET", "/schemas/ids/{id}/versions", list_users),
    Route("GET", "/schemas/guids/{guid}", by_guid),
    Route("GET", "/schemas/guids/{guid}/ids", list_guid_ids),
)
