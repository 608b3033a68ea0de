"""The ``__init__`` of each package of the SDK: public names that are loaded on first access."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from treaty_avro import Record
from treaty_codegen.catalog import Catalog
from treaty_codegen.guard import Allowed
from treaty_codegen.layout import Home, Layout
from treaty_codegen.lines import header, wrapped
from treaty_codegen.literals import STEP
from treaty_codegen.module import Module
from treaty_codegen.settings import SdkSettings
from treaty_codegen.source import Source


def events_of(catalog: Catalog, *, layout: Layout) -> dict[str, Home]:
    """The events, by full name: records that a topic lists, or, where nothing is said of topics, every top-level record."""
    listed = {event for topic in catalog.topics.values() for event in topic.events}
    tops = (layout.homes[file.full_name] for file in layout.files.values())
    events = [home for home in tops if isinstance(home.type, Record)]
    return {
        home.type.name.full: home
        for home in sorted(events, key=lambda home: home.type.name.full)
        if home.type.name.full in listed or not catalog.topics
    }


def schema_set(events: Mapping[str, Home], *, layout: Layout) -> str:
    """SHA-256 (hex) over the lines ``full name`` NUL ``SHA-256 of the published text``, sorted, each ended by a line feed."""
    lines = sorted(
        f"{name}\0{hashlib.sha256(layout.published(home.file).encode()).hexdigest()}\n" for name, home in events.items()
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def root_module(homes: Sequence[Home], *, events: Mapping[str, Home], layout: Layout, settings: SdkSettings) -> Module:
    """The root package: what exists, without importing it; types of the root namespace besides."""
    source = Source({})
    scope = source.within([home.public for home in homes])
    events_type = f"{source.library('_typing')}.Mapping[{scope.builtin('str')}, {scope.builtin('type')}]"
    namespace = settings.namespace or settings.package
    pairs = [f"{source.literal(name)}: {_home(home, source)}" for name, home in events.items()]
    lines = [
        header(),
        source.docstring(f"Events of {namespace}, by package; `EVENTS` names them all."),
        "",
        "from __future__ import annotations",
        "",
        *source.imports(),
        "",
        f"from {settings.package} import _lazy",
    ]
    if layout.has_duration:
        lines.append(f"from {settings.package}._duration import Duration as Duration")
    lines += [
        "",
        f"__version__: _typing.Final = {source.literal(settings.version)}",
        "",
        f"SCHEMA_SET: _typing.Final = {source.literal(schema_set(events, layout=layout))}",
        source.docstring("SHA-256 over the published texts of all events."),
        "",
        *wrapped(f"EVENTS: _typing.Final[{events_type}] = _lazy.Events({{", pairs, "})"),
        source.docstring("Full name to class; `EVENTS[name]` imports one module."),
    ]
    own = ["EVENTS", "SCHEMA_SET", *(["Duration"] if layout.has_duration else [])]
    lines += _members(homes, source=source, imports_lazy=False, package=settings.package)
    lines += ["", *_all([*own, *(home.public for home in homes)], source)]
    modules = {settings.package, f"{settings.package}._duration", *(home.module for home in homes)}
    return _module(settings.package, lines, source, modules)


def package_module(package: str, *, homes: Sequence[Home], settings: SdkSettings) -> Module:
    """A package below the root; one that only holds packages has no names of its own."""
    source = Source({})
    lines = [header(), source.docstring(f"Types of {package}, each imported on first use."), ""]
    lines += ["from __future__ import annotations", "", "import typing as _typing"]
    lines += _members(homes, source=source, imports_lazy=True, package=settings.package)
    lines = [*lines, "", *_all([home.public for home in homes], source)] if homes else lines[:2]
    modules = {settings.package, *(home.module for home in homes)}
    return _module(package, lines, source, modules)


def _members(homes: Sequence[Home], *, source: Source, imports_lazy: bool, package: str) -> list[str]:
    """What a type checker sees, and in the ``else`` what happens: a visible ``__getattr__`` would make it accept any name."""
    if not homes:
        return []
    lines = ["", "if _typing.TYPE_CHECKING:"]
    lines += [f"{STEP}from {home.module} import {home.name} as {home.public}" for home in homes]
    lines += ["else:"]
    if imports_lazy:
        lines += [f"{STEP}from {package} import _lazy", ""]
    pairs = [f"{source.literal(home.public)}: {_home(home, source)}" for home in homes]
    lines += wrapped("__getattr__, __dir__ = _lazy.exports(__name__, {", pairs, "})", indent=STEP)
    return lines


def _home(home: Home, source: Source) -> str:
    return f"({source.literal(home.module)}, {source.literal(home.name)})"


def _all(names: Sequence[str], source: Source) -> list[str]:
    return wrapped("__all__ = [", [source.literal(name) for name in sorted(names)], "]")


def _module(name: str, lines: list[str], source: Source, modules: set[str]) -> Module:
    allowed = Allowed(texts=frozenset(source.texts), modules=frozenset(modules))
    return Module(name=f"{name}.__init__", source="\n".join(lines) + "\n", allowed=allowed)
