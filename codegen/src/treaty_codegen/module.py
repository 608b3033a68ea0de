"""The two modules of one schema file: its classes, and its published text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from treaty_avro import Enum, Fixed, Named, Record
from treaty_codegen.catalog import Catalog, SchemaFile
from treaty_codegen.classes import ClassWriter, TopLevel
from treaty_codegen.contract import event_type_of, key_of, subject_of
from treaty_codegen.errors import EmitError
from treaty_codegen.guard import Allowed
from treaty_codegen.keys import UnusableKey
from treaty_codegen.layout import Layout, local_names
from treaty_codegen.lines import header
from treaty_codegen.names import public_name
from treaty_codegen.reach import has_class, is_duration, named_within
from treaty_codegen.settings import SdkSettings
from treaty_codegen.source import DURATION, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A generated module: its dotted name, its source, and what the guard may find in it."""

    name: str
    source: str
    allowed: Allowed


def schema_modules(file: SchemaFile, *, catalog: Catalog, layout: Layout, settings: SdkSettings) -> Iterator[Module]:
    """The module of the classes, then the module of the text. Raises ``EmitError``."""
    name = layout.modules[file.path]
    yield _classes_module(file, name=name, catalog=catalog, layout=layout, settings=settings)
    yield _text_module(file, name=f"{name}_avsc", text=layout.published(file))


def _text_module(file: SchemaFile, *, name: str, text: str) -> Module:
    source = Source({})
    lines = [
        header(file.path),
        source.docstring(f"The published text of {file.full_name}."),
        "",
        f"TEXT = {source.literal(text)}",
    ]
    return Module(name=name, source=_joined(lines), allowed=Allowed(texts=frozenset(source.texts)))


def _classes_module(file: SchemaFile, *, name: str, catalog: Catalog, layout: Layout, settings: SdkSettings) -> Module:
    own = [type_ for type_ in file.schema.named.values() if has_class(type_) and not is_duration(type_)]
    reach = named_within(file.schema.root)
    foreign = _foreign(file, reach)
    classes = local_names(own, imported=foreign)
    if any(map(is_duration, reach.values())):
        classes[DURATION] = public_name("Duration", taken=classes.values())
    source = Source(classes)
    writer = ClassWriter(layout, source=source, path=file.path)
    top = _top_level(file, catalog=catalog, settings=settings, reach=reach, classes=classes)
    try:
        blocks = [
            list(_block(type_, writer, top if type_ is file.schema.root else None)) for type_ in _ordered(file, own)
        ]
    except UnusableKey as error:
        topic = catalog.topic_of(file.full_name)
        raise EmitError(f"{file.full_name}: {error}", path="topics.toml", line=topic.line if topic else 0) from None
    what = "." if len(own) == 1 else " and the types defined with it."
    lines = [
        header(file.path),
        source.docstring(f"{file.full_name}{what}"),
        "",
        "from __future__ import annotations",
        "",
    ]
    lines += [*source.imports(), "", *_imports(name, foreign, source=source, layout=layout, settings=settings)]
    for block in blocks:
        lines += ["", "", *block]
    if source.aliases:
        lines += ["", "", *(f"_t_{alias} = {alias}" for alias in sorted(source.aliases))]
    allowed = Allowed(
        texts=frozenset(source.texts),
        classes=frozenset(classes.values()),
        modules=frozenset({name.rpartition(".")[0], *(layout.homes[each.name.full].module for each in foreign)})
        | ({f"{settings.package}._duration"} if DURATION in classes else frozenset()),
        text_module=f"{name.rpartition('.')[2]}_avsc",
    )
    return Module(name=name, source=_joined(lines), allowed=allowed)


def _foreign(file: SchemaFile, reach: dict[str, Named]) -> list[Named]:
    """Classes from other files, sorted by full name."""
    return [
        type_
        for name, type_ in sorted(reach.items())
        if name not in file.schema.named and has_class(type_) and not is_duration(type_)
    ]


def _ordered(file: SchemaFile, own: list[Named]) -> list[Named]:
    """Enums and fixed first, since defaults in class bodies name them; the type of the file last."""
    root = file.schema.root
    return sorted(own, key=lambda type_: (isinstance(type_, Record), type_ is root))


def _block(type_: Named, writer: ClassWriter, top: TopLevel | None) -> Iterator[str]:
    match type_:
        case Enum():
            return writer.enum(type_, top=top)
        case Fixed():
            return writer.fixed(type_, top=top)
        case Record():
            return writer.record(type_, top=top)


def _top_level(
    file: SchemaFile, *, catalog: Catalog, settings: SdkSettings, reach: dict[str, Named], classes: dict[str, str]
) -> TopLevel:
    names = _references(file, reach) if settings.references == "registry" else ()
    types = {
        name: classes[DURATION if is_duration(type_) else name] for name, type_ in reach.items() if has_class(type_)
    }
    event = file.full_name
    topic = catalog.topic_of(event)
    if topic is None:
        return TopLevel(references=names, types=types)
    return TopLevel(
        references=names,
        types=types,
        topic=topic.name,
        subject=subject_of(topic, event=event),
        event_type=event_type_of(topic, event=event),
        key=key_of(topic, event=event),
    )


def _references(file: SchemaFile, reach: dict[str, Named]) -> tuple[str, ...]:
    """The names that the text of a file leaves open; the class of each carries its text."""
    names = tuple(schema.name for schema in file.schema.references)
    for name in names:
        if not has_class(reach[name]) or is_duration(reach[name]):
            reason = "which is a plain value in Python: no class would carry its text; define it where it is used"
            raise EmitError(f"{file.full_name} refers to {name}, {reason}", path=file.path)
    return names


def _imports(
    name: str, foreign: list[Named], *, source: Source, layout: Layout, settings: SdkSettings
) -> Iterator[str]:
    package, _, stem = name.rpartition(".")
    yield f"from {package} import {stem}_avsc as _avsc"
    lines = []
    if DURATION in source.classes:
        lines.append((f"{settings.package}._duration", "Duration", source.classes[DURATION]))
    for type_ in foreign:
        home = layout.homes[type_.name.full]
        lines.append((home.module, home.name, source.classes[type_.name.full]))
    for module, theirs, ours in sorted(lines):
        yield f"from {module} import {theirs}" if theirs == ours else f"from {module} import {theirs} as {ours}"


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
