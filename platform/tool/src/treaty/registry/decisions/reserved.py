"""Reserved fields: names that a schema's metadata keeps free (``confluent:reserved``), checked under ``validateFields``.

Source: confluentinc/schema-registry, ``AbstractSchemaRegistry.validateReservedFields``.
"""

from __future__ import annotations

from typing import Final

import treaty_avro as avro
from treaty.registry.rows import Content

PROPERTY: Final = "confluent:reserved"

_REMOVED: Final = (
    "The new schema has reserved field {} removed from its metadata which is present in the old schema's metadata."
)
_CONFLICTS: Final = "The new schema has field that conflicts with the reserved field {}."


def reserved_messages(schema: avro.Schema, content: Content, *, previous: Content | None) -> list[str]:
    """What a new schema does wrong to reserved names: frees those of ``previous``, or uses its own for a field."""
    reserved = _reserved(content)
    freed = [] if previous is None else [name for name in _reserved(previous) if name not in reserved]
    fields = {field.name for field in schema.root.fields} if isinstance(schema.root, avro.Record) else set()
    used = [name for name in reserved if name in fields]
    return [*(_REMOVED.format(name) for name in freed), *(_CONFLICTS.format(name) for name in used)]


def _reserved(content: Content) -> list[str]:
    properties = (content.metadata or {}).get("properties") or {}
    names = (name.strip() for name in properties.get(PROPERTY, "").split(","))
    return list(dict.fromkeys(name for name in names if name))
