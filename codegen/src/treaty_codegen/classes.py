"""One generated class: an enum, a fixed, a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from treaty_avro import Enum, Field, Fixed, Record
from treaty_avro.schema.model import Missing
from treaty_codegen.annotations import annotation
from treaty_codegen.defaults import DefaultWriter, UnusableDefault
from treaty_codegen.errors import EmitError
from treaty_codegen.keys import key_expression
from treaty_codegen.layout import Layout
from treaty_codegen.lines import WIDTH, wrapped
from treaty_codegen.literals import STEP
from treaty_codegen.source import Scope, Source
from treaty_codegen.tags import deprecation, personal_data

BODY = STEP * 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TopLevel:
    """What only the type at the top of a file has: its text's references, its place in the topics, the types in its reach."""

    references: tuple[str, ...]
    topic: str = ""
    subject: str = ""
    event_type: str = ""
    key: str | None = None
    types: Mapping[str, str]


class ClassWriter:
    """Writes the classes of one module. Raises ``EmitError`` on a default that no value has."""

    def __init__(self, layout: Layout, *, source: Source, path: str) -> None:
        """``path`` is the schema file's, for errors."""
        self._layout = layout
        self._source = source
        self._path = path

    def enum(self, type_: Enum, *, top: TopLevel | None) -> Iterator[str]:
        """An ``Enum`` whose values are the symbols."""
        members = self._layout.attributes(type_)
        scope = self._source.within(members.values())
        yield f"class {self._source.classes[type_.name.full]}({self._source.library('_enum')}.Enum):"
        yield from self._doc(type_.doc)
        yield from self._schema(top, scope)
        yield from self._identity(type_, scope)
        # Left alone, mypy counts the facts above among the members, finds several types, and calls every value Any.
        yield ""
        yield f"{STEP}if {self._source.library('_typing')}.TYPE_CHECKING:"
        yield ""
        yield f"{BODY}@{scope.builtin('property')}"
        yield f"{BODY}def value(self) -> {scope.builtin('str')}: ..."
        if members:
            yield ""
        yield from (f"{STEP}{member} = {self._source.literal(symbol)}" for symbol, member in members.items())

    def fixed(self, type_: Fixed, *, top: TopLevel | None) -> Iterator[str]:
        """A ``bytes`` of one length, so that unions with bytes keep their branch; pydantic takes it as bytes."""
        scope = self._source.within()
        typing, full_name = self._source.library("_typing"), type_.name.full
        data, size, text = scope.builtin("bytes"), scope.builtin("len"), scope.builtin("str")
        what = f"{full_name} takes {type_.size} bytes, got "
        self._source.texts.update({what, "type", "function-after", "function", "no-info", "schema"})
        anything = scope.builtin("object")
        yield f"class {self._source.classes[full_name]}({data}):"
        yield from self._doc(type_.doc)
        yield f"{STEP}__slots__ = ()"
        yield from self._schema(top, scope)
        yield f"{STEP}__avro_fullname__: {typing}.ClassVar[{text}] = {self._source.literal(full_name)}"
        yield ""
        yield f"{STEP}def __new__(cls, value: {data}) -> {typing}.Self:"
        yield f"{BODY}if {size}(value) != {type_.size}:"
        yield f'{BODY}{STEP}raise {scope.builtin("ValueError")}(f"{what}{{{size}(value)}}")'
        yield f"{BODY}return {data}.__new__(cls, value)"
        yield ""
        yield f"{STEP}@{scope.builtin('classmethod')}"
        yield f"{STEP}def __get_pydantic_core_schema__("
        yield f"{BODY}cls, source: {anything}, handler: {typing}.Callable[[{anything}], {anything}]"
        yield f"{STEP}) -> {scope.builtin('dict')}[{text}, {anything}]:"
        yield f'{BODY}check = {{"type": "no-info", "function": cls}}'
        yield f'{BODY}return {{"type": "function-after", "function": check, "schema": handler({data})}}'

    def record(self, type_: Record, *, top: TopLevel | None) -> Iterator[str]:
        """A frozen dataclass; a field has a default exactly if the schema gives one."""
        attributes = self._layout.attributes(type_)
        scope = self._source.within(attributes.values())
        yield f"@{self._source.library('_dc')}.dataclass(frozen=True, slots=True, kw_only=True)"
        yield f"class {self._source.classes[type_.name.full]}:"
        yield from self._doc(type_.doc)
        yield from self._schema(top, scope)
        yield from self._identity(type_, scope)
        yield from self._contract(top, scope)
        if type_.fields:
            yield ""
        for field in type_.fields:
            yield from self._field(field, attributes[field.name], scope)
        if top is not None:
            yield from self._methods(type_, top, scope)

    def _doc(self, doc: str | None) -> Iterator[str]:
        if doc:
            yield f"{STEP}{self._source.docstring(doc, indent=STEP)}"
            yield ""

    def _schema(self, top: TopLevel | None, scope: Scope) -> Iterator[str]:
        if top is None:
            return
        class_var, text = f"{self._source.library('_typing')}.ClassVar", scope.builtin("str")
        yield f"{STEP}__avro_schema__: {class_var}[{text}] = _avsc.TEXT"
        names = [self._source.literal(name) for name in top.references]
        tail = ",)" if len(names) == 1 else ")"
        head = f"__avro_references__: {class_var}[{scope.builtin('tuple')}[{text}, ...]] = ("
        yield from wrapped(head, names, tail, indent=STEP)

    def _identity(self, type_: Record | Enum, scope: Scope) -> Iterator[str]:
        typing, text = self._source.library("_typing"), scope.builtin("str")
        yield f"{STEP}__avro_fullname__: {typing}.ClassVar[{text}] = {self._source.literal(type_.name.full)}"
        renamed = [
            f"{self._source.literal(name)}: {self._source.literal(attribute)}"
            for name, attribute in self._layout.attributes(type_).items()
            if name != attribute
        ]
        head = f"__avro_names__: {typing}.ClassVar[{typing}.Mapping[{text}, {text}]] = {{"
        yield from wrapped(head, renamed, "}", indent=STEP)

    def _contract(self, top: TopLevel | None, scope: Scope) -> Iterator[str]:
        if top is None:
            return
        head = f"{self._source.library('_typing')}.ClassVar[{scope.builtin('str')}]"
        yield f"{STEP}__topic__: {head} = {self._source.literal(top.topic)}"
        yield f"{STEP}__subject__: {head} = {self._source.literal(top.subject)}"
        yield f"{STEP}__event_type__: {head} = {self._source.literal(top.event_type)}"

    def _field(self, field: Field, attribute: str, scope: Scope) -> Iterator[str]:
        declared = annotation(field.type, scope=scope)
        default = self._default(field, scope)
        line = f"{STEP}{attribute}: {declared}{default}"
        if len(line) > WIDTH and " | " in declared:
            branches = f"\n{BODY}| ".join(declared.split(" | "))
            line = f"{STEP}{attribute}: (\n{BODY}{branches}\n{STEP}){default}"
        yield line
        doc = field_doc(field)
        if doc:
            yield f"{STEP}{self._source.docstring(doc, indent=STEP)}"

    def _default(self, field: Field, scope: Scope) -> str:
        arguments: list[str] = []
        is_personal = personal_data(field) is not None
        if not isinstance(field.default, Missing):
            try:
                default = DefaultWriter(self._layout, scope=scope).write(field.type, default=field.default)
            except UnusableDefault as error:
                raise self._error(field, str(error)) from None
            if default.needs_factory:
                arguments.append(f"default_factory=lambda: {default.expression}")
            elif not is_personal:
                return f" = {default.expression}"
            else:
                arguments.append(f"default={default.expression}")
        if is_personal:
            arguments.append("repr=False")
        return f" = {self._source.library('_dc')}.field({', '.join(arguments)})" if arguments else ""

    def _error(self, field: Field, reason: str) -> EmitError:
        pointer = f"{field.pointer}/default"
        try:
            line = self._layout.files[self._path].schema.locate(pointer).line
        except KeyError:
            line = 0
        return EmitError(f"the default of `{field.name}` {reason}", path=self._path, line=line, pointer=pointer)

    def _methods(self, type_: Record, top: TopLevel, scope: Scope) -> Iterator[str]:
        if top.key is not None:
            key = key_expression(type_, key=top.key, layout=self._layout, scope=scope)
            yield ""
            yield f"{STEP}def __key__(self) -> {scope.builtin('str')}:"
            yield f"{BODY}return {key}"
        mapping = f"{self._source.library('_typing')}.Mapping[{scope.builtin('str')}, {scope.builtin('type')}]"
        yield ""
        yield f"{STEP}@{scope.builtin('staticmethod')}"
        yield f"{STEP}def __avro_types__() -> {mapping}:"
        pairs = [f"{self._source.literal(name)}: {local}" for name, local in sorted(top.types.items())]
        yield from wrapped("return {", pairs, "}", indent=BODY)


def field_doc(field: Field) -> str:
    """The doc of a field, what kind of personal data it holds, and what to use instead if it is deprecated."""
    if not field.props:
        return field.doc or ""
    category, deprecated = personal_data(field), deprecation(field)
    sentences = [field.doc] if field.doc else []
    if category is not None:
        sentences.append(f"Personal data: {category}.")
    if deprecated is not None:
        sentences.append(f"Deprecated: {deprecated}." if str(deprecated) != "yes" else "Deprecated.")
    return " ".join(sentences)
