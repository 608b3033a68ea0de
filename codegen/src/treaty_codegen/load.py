"""File texts to the catalog; nothing is read from disk here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from treaty_avro import parse_files
from treaty_codegen.catalog import Catalog, SchemaFile
from treaty_codegen.topics import Declarations, read_topics


def load_catalog(
    files: Mapping[str, str], *, topics: str | None, examples: Mapping[str, str] = MappingProxyType({})
) -> Catalog:
    """The catalog of some ``.avsc`` texts, by path relative to the schemas folder, and the text of ``topics.toml``.

    ``topics`` None: schemas alone, without topics and keys. ``examples``: texts of ``<event>.examples.json`` files by path, which
    are not looked into. Raises ``treaty_avro.SchemaError`` where a schema does not parse or a reference cannot be resolved,
    ``CatalogError`` where ``topics.toml`` breaks a rule.
    """
    schemas = parse_files(files)
    catalog = Catalog(
        files={path: SchemaFile(path=path, text=files[path], schema=schemas[path]) for path in sorted(files)},
        examples=dict(examples),
    )
    return catalog if topics is None else with_topics(catalog, topics)


def with_topics(catalog: Catalog, topics: str) -> Catalog:
    """The catalog with what the text of a ``topics.toml`` says. Raises ``CatalogError`` where it breaks a rule."""
    declared: Declarations = read_topics(topics, events=catalog.by_name)
    return replace(catalog, topics=declared.topics, services=declared.services, removals=declared.removals)
