"""From Avro schemas to the catalog and to typed Python classes; pure, knows no network and no file system."""

from treaty_codegen.catalog import Catalog, Consumer, EventSettings, Removal, SchemaFile, Service, Topic, for_env
from treaty_codegen.contract import event_type_of, key_of, snake_case, subject_of
from treaty_codegen.errors import CatalogError, CodegenError, EmitError, GuardError
from treaty_codegen.load import load_catalog
from treaty_codegen.publish import publish

__all__ = [
    "Catalog",
    "CatalogError",
    "CodegenError",
    "Consumer",
    "EmitError",
    "EventSettings",
    "GuardError",
    "Removal",
    "SchemaFile",
    "Service",
    "Topic",
    "event_type_of",
    "for_env",
    "key_of",
    "load_catalog",
    "publish",
    "snake_case",
    "subject_of",
]
