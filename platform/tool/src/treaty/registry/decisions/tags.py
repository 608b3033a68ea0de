"""Tags that a schema's text carries (``confluent:tags`` of records and fields), and where.

Source: confluentinc/schema-registry, ``AvroSchema.inlineTaggedEntities``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import treaty_avro as avro
from treaty.registry.rows import Json

PROPERTY: Final = "confluent:tags"
ANY: Final = "*"


def tagged(schema: avro.Schema, wanted: Collection[str]) -> list[Json]:
    """Records and fields that carry one of the tags (``*``: any), as members of ``schemaTags``; outermost first."""
    found = []
    waiting: list[avro.Type] = [schema.root]
    seen: set[str] = set()
    while waiting:
        node = waiting.pop()
        match node:
            case avro.Record() if node.name.full not in seen:
                seen.add(node.name.full)
                found += [
                    entity for entity in _entities(node) if ANY in wanted or not set(wanted).isdisjoint(entity["tags"])
                ]
                waiting += [field.type for field in reversed(node.fields)]
            case avro.Union():
                waiting += reversed(node.branches)
            case avro.Array():
                waiting.append(node.items)
            case avro.Map():
                waiting.append(node.values)
    return found


def _entities(record: avro.Record) -> Iterator[Mapping[str, Json]]:
    yield from _entity(record.name.full, "sr_record", record.props)
    for field in record.fields:
        yield from _entity(f"{record.name.full}.{field.name}", "sr_field", field.props)


def _entity(path: str, kind: str, props: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    tags = props.get(PROPERTY)
    if isinstance(tags, list) and tags:
        yield {"schemaEntity": {"entityPath": path, "entityType": kind}, "tags": list(dict.fromkeys(map(str, tags)))}
