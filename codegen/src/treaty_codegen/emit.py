"""The SDK: every file of it, from the catalog. Same catalog, same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from treaty_codegen import guard, machinery, project
from treaty_codegen.catalog import Catalog
from treaty_codegen.errors import EmitError
from treaty_codegen.layout import Home, Layout
from treaty_codegen.module import Module, schema_modules
from treaty_codegen.package import events_of, package_module, root_module
from treaty_codegen.settings import SdkSettings


def emit_sdk(catalog: Catalog, settings: SdkSettings) -> dict[PurePosixPath, bytes]:
    """All files of the SDK by path relative to its folder, sorted.

    Raises ``EmitError`` where a legal schema has no Python form (a default that no value has, an unusable key, two files
    of one name), ``GuardError`` if the emitter itself went wrong; then there is no output at all.
    """
    layout = Layout(catalog, settings=settings)
    events = events_of(catalog, layout=layout)
    root = PurePosixPath("src", settings.package)
    files = {
        PurePosixPath("pyproject.toml"): project.pyproject(settings),
        PurePosixPath("README.md"): project.readme(events, catalog=catalog, settings=settings),
        root / "py.typed": "",
        root / "_lazy.py": machinery.LAZY,
    }
    if layout.has_duration:
        files[root / "_duration.py"] = machinery.DURATION
    for module in _modules(catalog, events=events, layout=layout, settings=settings):
        path = PurePosixPath(f"src/{module.name.replace('.', '/')}.py")
        if path in files:
            raise EmitError(f"two files of the SDK would be {path}; rename a schema file or a namespace")
        guard.check(str(path), source=module.source, allowed=module.allowed)
        files[path] = module.source
    return {path: files[path].encode() for path in sorted(files, key=lambda path: path.parts)}


def _modules(
    catalog: Catalog, *, events: Mapping[str, Home], layout: Layout, settings: SdkSettings
) -> Iterator[Module]:
    for package, homes in layout.packages.items():
        if package == settings.package:
            yield root_module(homes, events=events, layout=layout, settings=settings)
        else:
            yield package_module(package, homes=homes, settings=settings)
    for file in layout.files.values():
        yield from schema_modules(file, catalog=catalog, layout=layout, settings=settings)
