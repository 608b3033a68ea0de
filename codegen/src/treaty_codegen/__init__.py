"""From Avro schemas to the catalog, to typed Python classes and to documents; only `disk` and the command touch files."""

from treaty_codegen.catalog import Catalog, Consumer, EventSettings, Removal, SchemaFile, Service, Topic, for_env
from treaty_codegen.compare import FileChange, compare
from treaty_codegen.contract import event_type_of, key_of, snake_case, subject_of
from treaty_codegen.documents import emit_asyncapi, emit_markdown
from treaty_codegen.emit import emit_sdk
from treaty_codegen.errors import CatalogError, CodegenError, EmitError, GuardError
from treaty_codegen.index import SdkIndex, SdkType, sdk_index
from treaty_codegen.load import load_catalog
from treaty_codegen.publish import publish
from treaty_codegen.settings import SdkSettings

__all__ = [
    "Catalog",
    "CatalogError",
    "CodegenError",
    "Consumer",
    "EmitError",
    "EventSettings",
    "FileChange",
    "GuardError",
    "Removal",
    "SchemaFile",
    "SdkIndex",
    "SdkSettings",
    "SdkType",
    "Service",
    "Topic",
    "compare",
    "emit_asyncapi",
    "emit_markdown",
    "emit_sdk",
    "event_type_of",
    "for_env",
    "key_of",
    "load_catalog",
    "publish",
    "sdk_index",
    "snake_case",
    "subject_of",
]
