"""Where each type lives in the SDK: its private module, its class there, its public package.

A private module holds all types of one file, so recursion stays in one module. A type's public home is the package of its
own namespace; there is one way to import it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from treaty_avro import Enum, Fixed, Named, Record
from treaty_codegen.catalog import Catalog, SchemaFile
from treaty_codegen.errors import EmitError
from treaty_codegen.names import (
    CLASS_NAMES,
    DEVICES,
    FIELD_NAMES,
    MEMBER_NAMES,
    ROOT_NAMES,
    ROOT_STEMS,
    module_stem,
    place,
    public_name,
)
from treaty_codegen.publish import publish
from treaty_codegen.reach import has_class, is_duration
from treaty_codegen.settings import SdkSettings

Segments = tuple[str, ...]

MAX_DEPTH: Final = 32
"""Namespaces of more parts are refused: each is a folder, and systems limit the length of a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where one named type lives: ``name`` in the private ``module``, ``public`` in the ``package`` (both dotted)."""

    type: Named
    file: SchemaFile
    module: str
    name: str
    package: str
    public: str


class Layout:
    """All decisions about places and names, made once for the whole catalog. Raises ``EmitError`` on a clash."""

    def __init__(self, catalog: Catalog, *, settings: SdkSettings) -> None:
        """Place packages, then modules, then classes."""
        self._settings = settings
        self._attributes: dict[int, Mapping[str, str]] = {}
        self._published: dict[str, str] = {}
        # A fixed that is a duration may be a file of its own, which makes no module.
        named = (type_ for file in catalog.files.values() for type_ in file.schema.named.values())
        self.has_duration = any(map(is_duration, named))
        self.files = {path: file for path, file in sorted(catalog.files.items()) if _top(file) is not None}
        exports = self._exports()
        self._packages = self._place_packages(exports)
        self.modules = self._place_modules()
        self.homes = self._place_classes(exports)

    @property
    def packages(self) -> dict[str, list[Home]]:
        """Every package below the root by its dotted name, and the types that it exports; packages in between too."""
        content: dict[str, list[Home]] = {package: [] for package in sorted(self._packages.values())}
        for home in self.homes.values():
            content[home.package].append(home)
        return {package: sorted(homes, key=lambda home: home.public) for package, homes in content.items()}

    def attributes(self, type_: Record | Enum) -> Mapping[str, str]:
        """Field to attribute of a record, symbol to member of an enum: of each, in the order of the schema."""
        if id(type_) not in self._attributes:
            if isinstance(type_, Record):
                placed = place([field.name for field in type_.fields], reserved=FIELD_NAMES)
            else:
                placed = place(type_.symbols, reserved=MEMBER_NAMES)
            self._attributes[id(type_)] = placed
        return self._attributes[id(type_)]

    def published(self, file: SchemaFile) -> str:
        """The published text of a file's type, made once."""
        if file.path not in self._published:
            self._published[file.path] = publish(file, references=self._settings.references)
        return self._published[file.path]

    def _segments(self, namespace: str) -> Segments:
        own = self._settings.namespace
        if not namespace or namespace == own:
            return ()
        return tuple(namespace.removeprefix(f"{own}.").split("."))

    def _types(self) -> Iterable[tuple[SchemaFile, Named]]:
        for file in self.files.values():
            for type_ in file.schema.named.values():
                if has_class(type_) and not is_duration(type_):
                    yield file, type_

    def _exports(self) -> dict[Segments, dict[str, str]]:
        """By package: simple name of each type to the name under which it is exported."""
        simple: dict[Segments, dict[str, str]] = defaultdict(dict)
        for file, type_ in self._types():
            segments = self._segments(type_.name.namespace)
            if len(segments) > MAX_DEPTH:
                raise EmitError(
                    f"a namespace of {len(segments)} parts; at most {MAX_DEPTH} can be packages",
                    path=file.path,
                    line=file.schema.locate(type_.pointer).line,
                    pointer=type_.pointer,
                )
            here = simple[segments]
            other = here.setdefault(type_.name.simple, type_.name.full)
            if other != type_.name.full:
                raise EmitError(
                    f"{type_.name.full} and {other} would both be imported from one package;"
                    " give one of them another name or namespace",
                    path=file.path,
                    pointer=type_.pointer,
                )
        return {
            segments: place(names, reserved=CLASS_NAMES if segments else CLASS_NAMES | ROOT_NAMES)
            for segments, names in simple.items()
        }

    def _place_packages(self, exports: Mapping[Segments, Mapping[str, str]]) -> dict[Segments, str]:
        wanted = {segments[:end] for segments in exports for end in range(1, len(segments) + 1)}
        packages: dict[Segments, str] = {(): self._settings.package}
        for depth in range(1, max(map(len, wanted), default=0) + 1):
            siblings: dict[Segments, list[str]] = defaultdict(list)
            for segments in sorted(each for each in wanted if len(each) == depth):
                siblings[segments[:-1]].append(segments[-1])
            for parent, names in siblings.items():
                reserved = {*DEVICES, *exports.get(parent, {}).values(), *(() if parent else ROOT_NAMES)}
                for name, placed in place(names, reserved=reserved, fold=True).items():
                    packages[*parent, name] = f"{packages[parent]}.{placed}"
        return packages

    def _place_modules(self) -> dict[str, str]:
        """Schema path to the dotted private module that holds its types."""
        modules: dict[str, str] = {}
        by_package: dict[str, list[str]] = defaultdict(list)
        for path, file in self.files.items():
            by_package[self._packages[self._segments(_namespace(file))]].append(path)
        for package, paths in by_package.items():
            reserved = ROOT_STEMS if package == self._settings.package else frozenset()
            for path, stem in _stems(paths, reserved):
                modules[path] = f"{package}._{stem}"
        return dict(sorted(modules.items()))

    def _place_classes(self, exports: Mapping[Segments, Mapping[str, str]]) -> dict[str, Home]:
        homes: dict[str, Home] = {}
        by_file: dict[str, list[Named]] = defaultdict(list)
        for file, type_ in self._types():
            by_file[file.path].append(type_)
        for path, types in by_file.items():
            local = local_names(types)
            for type_ in types:
                segments = self._segments(type_.name.namespace)
                homes[type_.name.full] = Home(
                    type=type_,
                    file=self.files[path],
                    module=self.modules[path],
                    name=local[type_.name.full],
                    package=self._packages[segments],
                    public=exports[segments][type_.name.simple],
                )
        return homes


def local_names(own: Sequence[Named], *, imported: Sequence[Named] = ()) -> dict[str, str]:
    """Class names within one module by full name: the simple name where it is the only one, else with its namespace.

    A module's own types are named first; what is imported gives way.
    """
    counts: dict[str, int] = defaultdict(int)
    for type_ in own:
        counts[type_.name.simple] += 1
    names = [_wanted(type_, is_alone=counts[type_.name.simple] == 1) for type_ in own]
    for type_ in imported:
        counts[type_.name.simple] += 1
    names += [_wanted(type_, is_alone=counts[type_.name.simple] == 1) for type_ in imported]
    taken: set[str] = set()
    placed: dict[str, str] = {}
    for type_, name in zip((*own, *imported), names, strict=True):
        placed[type_.name.full] = public_name(name, reserved=CLASS_NAMES, taken=taken, of=type_.name.full)
        taken.add(placed[type_.name.full])
    return placed


def _wanted(type_: Named, *, is_alone: bool) -> str:
    namespace = type_.name.namespace.rpartition(".")[2]
    return type_.name.simple if is_alone or not namespace else f"{namespace}_{type_.name.simple}"


def _top(file: SchemaFile) -> Named | None:
    """The file's own type; None for one that is a number or an id in Python. Raises ``EmitError`` if it has no name."""
    root = file.schema.root
    if not isinstance(root, Record | Enum | Fixed):
        raise EmitError("defines no record, enum or fixed at its top; give the type a name", path=file.path, line=1)
    return root if has_class(root) and not is_duration(root) else None


def _namespace(file: SchemaFile) -> str:
    top = _top(file)
    return top.name.namespace if top is not None else ""


def _stems(paths: Sequence[str], reserved: frozenset[str]) -> list[tuple[str, str]]:
    """A stem for each path, and room beside it for the module of its text: those that can stay are placed first."""
    taken: set[str] = set()
    placed: dict[str, str] = {}
    for may_change in (False, True):
        for path in (path for path in paths if path not in placed):
            wanted = module_stem(path)
            stem = public_name(wanted, reserved=reserved, taken=taken, fold=True, of=path)
            while f"{stem}_avsc".casefold() in taken:
                stem = public_name(f"{stem}_", reserved=reserved, taken=taken, fold=True, of=path)
            if may_change or stem == wanted:
                placed[path] = stem
                taken |= {stem.casefold(), f"{stem}_avsc".casefold()}
    return [(path, placed[path]) for path in paths]
