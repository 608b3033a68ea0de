"""From Avro schemas to the catalog, to typed Python classes and to documents; only `disk` and the command touch files.

Generator and documents are loaded by whoever asks for them first (PEP 562): a check needs neither.
"""

import importlib as _importlib
import typing as _typing

from treaty_codegen.catalog import Catalog, Consumer, EventSettings, Removal, SchemaFile, Service, Topic, for_env
from treaty_codegen.compare import FileChange, compare
from treaty_codegen.contract import event_type_of, key_of, snake_case, subject_of
from treaty_codegen.errors import CatalogError, CodegenError, EmitError, GuardError
from treaty_codegen.publish import publish

if _typing.TYPE_CHECKING:
    from treaty_codegen.documents import emit_asyncapi, emit_markdown
    from treaty_codegen.emit import emit_sdk
    from treaty_codegen.index import SdkIndex, SdkType, sdk_index
    from treaty_codegen.load import load_catalog
    from treaty_codegen.settings import SdkSettings
else:
    # Not for a name that a module has too (`compare`): once that module is loaded, the package's name would be the module.
    _HOMES = {
        "emit_asyncapi": "treaty_codegen.documents",
        "emit_markdown": "treaty_codegen.documents",
        "emit_sdk": "treaty_codegen.emit",
        "SdkIndex": "treaty_codegen.index",
        "SdkType": "treaty_codegen.index",
        "sdk_index": "treaty_codegen.index",
        "load_catalog": "treaty_codegen.load",
        "SdkSettings": "treaty_codegen.settings",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(_importlib.import_module(_HOMES[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOMES})


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
