"""What is generated from the schemas, and where: the SDK, and the catalogue for people and for other tools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.baseline import RELEASES, SET, read_set, release_folders
from treaty.ops.generated_folders import ASYNCAPI, generated_folders
from treaty.ops.schemas import load_project, references_of
from treaty_codegen import Catalog, FileChange, SdkSettings, compare, emit_asyncapi, emit_markdown, emit_sdk
from treaty_codegen.compare import GENERATED
from treaty_codegen.disk import InTheWay, Output
from treaty_codegen.documents import Examples
from treaty_codegen.endless import endless
from treaty_codegen.old_set import OldSet, old_set

UNRELEASED = "0.1.0.dev0"
"""The SDK's version before the first release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """One generated folder: ``name`` as ``treaty.toml`` says it, and every file that it is to have, relative to it.

    ``warnings`` are sentences about schemas that are legal and of no use; ``mark`` is how its maker's files begin.
    """

    name: str
    output: Output
    wanted: Mapping[PurePosixPath, bytes]
    warnings: tuple[str, ...] = ()
    mark: str = GENERATED

    def changes(self) -> list[FileChange]:
        """What differs on disk. Raises ``UsageError`` where a link or the like stands in the way."""
        try:
            return compare(self.output.files(), self.wanted, mark=self.mark)
        except InTheWay as error:
            raise UsageError(f"{error}.") from error

    def write(self, changes: list[FileChange]) -> None:
        """Make it so; each file is old or new at every moment. Raises ``UsageError`` where a link or the like stands in the way."""
        try:
            self.output.write(changes, self.wanted)
        except InTheWay as error:
            raise UsageError(f"{error}.") from error


def generated(settings: Settings) -> Iterator[Generated]:
    """The SDK, and the catalogue if ``[project] catalog`` names a folder for it."""
    catalog, folders = load_project(settings), generated_folders(settings)
    sdk = sdk_settings(settings, version=sdk_version(settings.folder("schemas") / RELEASES, catalog))
    root = settings.get("project", "schemas")
    yield Generated(
        name=settings.get("project", "sdk"),
        output=folders["sdk"],
        wanted=emit_sdk(catalog, sdk),
        warnings=tuple(f"{root}/{each}" for each in endless(catalog)),
    )
    if "catalog" in folders:
        name = settings.get("project", "catalog")
        yield Generated(name=name, output=folders["catalog"], wanted=catalogue(catalog, sdk))


def catalogue(catalog: Catalog, sdk: SdkSettings) -> dict[PurePosixPath, bytes]:
    """Pages in Markdown, and the same as one AsyncAPI document."""
    title = f"Events of {sdk.namespace or sdk.package}"
    examples = Examples(catalog.examples)
    document = emit_asyncapi(catalog, title=title, version=sdk.version, examples=examples)
    return {**emit_markdown(catalog, examples=examples), ASYNCAPI: document}


def sdk_settings(settings: Settings, *, version: str = UNRELEASED) -> SdkSettings:
    """Names and version of the SDK."""
    package = settings.get("project", "package")
    return SdkSettings(
        package=package,
        distribution=package.replace("_", "-"),
        namespace=settings.get("project", "namespace"),
        version=version,
        references=references_of(settings),
    )


def sdk_version(folder: Path, catalog: Catalog) -> str:
    """The newest release's version while the schemas are those of it; then the next patch with ``.dev0`` behind it.

    ``0.1.0.dev0`` before the first. By PEP 440 a development version stands before the version that it names, so it names the next.
    """
    versions = [path for path in release_folders(folder) if re.fullmatch(r"\d+\.\d+\.\d+", path.name, re.ASCII)]
    if not versions:
        return UNRELEASED
    released, now = read_set(versions[0] / SET), old_set(catalog, label="")
    if events_of(released) == events_of(now):
        return versions[0].name
    major, minor, patch = versions[0].name.split(".")
    return f"{major}.{minor}.{int(patch) + 1}.dev0"


def events_of(old: OldSet) -> dict[str, tuple[str, ...]]:
    """What classes are made of, by event: versions are not part of it."""
    return {name: (event.text, event.topic, event.key, event.level) for name, event in old.events.items()}
