"""Schemas as the Avro engine sees them: texts with the references they stand on, parsed once.

Laws: a parsed text is remembered under its own text and what its references *mean* (their resolved hashes), never under a
name or a version number: those can come to mean something else after a permanent delete. What the strict rules accept, the
lenient ones read as the same types, so one tree serves both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import treaty_avro as avro
from treaty.registry.cache import Lru
from treaty.registry.decisions.extent import exceeds
from treaty.registry.decisions.identity import content_sha256, resolved_sha256
from treaty.registry.decisions.request import SchemaRequest
from treaty.registry.errors import EmptySchema, InvalidSchema
from treaty.registry.names import Name
from treaty.registry.rows import Content, NewSchema, Reference, SchemaRow
from treaty.registry.settings import Limits
from treaty.registry.stores.protocol import Reader

Rules = Literal["new", "stored"]

PARSED_BYTES: Final = 2_097_152
"""Texts of parsed schemas that are remembered; the objects they become take some thirty times as much."""

REFERRED_BYTES: Final = 512
"""A schema that is referred to counts as so much, however short it is."""

BELOW_BYTES: Final = 10
"""What knowing of one schema further down counts as, in bytes of text: it takes some three hundred of memory."""

SPELLED_BYTES: Final = 8_388_608
"""Requests' texts whose stored form is remembered, without their trees: clients send the same ones at each start."""


class Parsed:
    """A parsed text; its canonical spellings are made when first asked for.

    They raise ``InvalidSchema`` where types come to stand too deep: uses before definitions nest deeper than the text does.
    """

    def __init__(self, schema: avro.Schema, height: int, below: Mapping[Hashable, int], *, is_strict: bool) -> None:
        """``height``: how many schemas refer to each other below this one; ``below``: the bytes of each that it stands on;
        ``is_strict``: the rules for new ones accept it."""
        self.schema, self.height, self.below, self.is_strict = schema, height, below, is_strict

    @cached_property
    def canonical(self) -> str:
        """The stored text."""
        return _written(avro.canonical_text, self.schema)

    @cached_property
    def normalized(self) -> str:
        """The stored text under ``normalize``."""
        return _written(avro.normalized_text, self.schema)

    @cached_property
    def inlined(self) -> str:
        """The text with every reference inlined: without references the stored one."""
        return _written(avro.inlined_text, self.schema) if self.schema.references else self.canonical


@dataclass(frozen=True, slots=True)
class Spelled:
    """What is known of a request's schema without its tree. ``is_strict``: the rules for new schemas accept it."""

    content: Content
    content_sha256: bytes
    resolved_sha256: bytes
    is_strict: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request's schema in canonical form, with its hashes; ``parse`` gives its tree, within the transaction it came from."""

    content: Content
    content_sha256: bytes
    resolved_sha256: bytes
    parse: Callable[[], avro.Schema]

    @property
    def schema(self) -> avro.Schema:
        """The tree; parsed only now, if nobody has asked for it lately."""
        return self.parse()

    def row(self, *, schema_id: int | None, created_at: int) -> NewSchema:
        """The same as a store takes it."""
        return NewSchema(
            content=self.content,
            content_sha256=self.content_sha256,
            resolved_sha256=self.resolved_sha256,
            guid=str(guid_of(self.content)),
            created_at=created_at,
            id=schema_id,
        )


class Library:
    """Parses schemas of requests and of the store."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parsed: Lru[tuple[Hashable, ...], Parsed] = Lru(PARSED_BYTES, size_of=_parsed_bytes)
        self._spelled: Lru[tuple[Hashable, ...], Spelled] = Lru(SPELLED_BYTES, size_of=_spelled_bytes)

    def prepare(
        self, reader: Reader, context: str, request: SchemaRequest, *, normalize: bool, rules: Rules, deleted: bool
    ) -> Prepared:
        """Bring a request's schema to its stored form; it is parsed unless that is remembered.

        ``deleted``: references to soft-deleted versions count. Raises ``InvalidSchema``, ``EmptySchema``.
        """
        if not request.text.strip():
            raise EmptySchema
        references = tuple(self._pinned(reader, context, each, deleted=deleted) for each in request.references)

        def parse() -> Parsed:
            return self._parse(reader, context, request.text, references, rules=rules)

        key = self._key(reader, context, request, references, normalize=normalize)
        spelled = self._spelled.get(key)
        if spelled is None or not (spelled.is_strict or rules == "stored"):
            spelled = self._spell(reader, context, request, references, parse(), normalize=normalize)
            self._spelled.put(key, spelled)
        return Prepared(spelled.content, spelled.content_sha256, spelled.resolved_sha256, parse=lambda: parse().schema)

    def _key(
        self,
        reader: Reader,
        context: str,
        request: SchemaRequest,
        references: Sequence[Reference],
        *,
        normalize: bool,
    ) -> tuple[Hashable, ...]:
        rows = (_referred(reader, context, reference) for reference in references)
        extras = (
            None if request.metadata is request.rule_set is None else json.dumps([request.metadata, request.rule_set])
        )
        return (
            normalize,
            request.text,
            extras,
            *references,
            *((row.content_sha256, row.resolved_sha256) for row in rows),
        )

    def _spell(
        self,
        reader: Reader,
        context: str,
        request: SchemaRequest,
        references: tuple[Reference, ...],
        parsed: Parsed,
        *,
        normalize: bool,
    ) -> Spelled:
        if normalize:
            references = tuple(sorted(set(references), key=lambda ref: (ref.name, ref.subject, ref.version)))
        text = parsed.normalized if normalize else parsed.canonical
        content = Content(text, references, request.metadata, request.rule_set)
        inlined = (
            self._parse(reader, context, text, references, rules="stored").inlined if normalize else parsed.inlined
        )
        return Spelled(content, content_sha256(content), resolved_sha256(inlined, content), parsed.is_strict)

    def stored(self, reader: Reader, row: SchemaRow) -> Parsed:
        """A stored schema, parsed leniently. Raises ``InvalidSchema`` if it cannot be read (an import let it in)."""
        return self._parse(reader, row.context, row.content.text, row.content.references, rules="stored")

    def _pinned(self, reader: Reader, context: str, reference: Reference, *, deleted: bool) -> Reference:
        target = reference.target(context)
        found = reader.latest(target) if reference.version == -1 else reader.version(target, reference.version)
        if found is None or (found.deleted and not deleted):
            raise _missing(target, reference.version)
        return Reference(reference.name, reference.subject, found.number)

    def _parse(
        self, reader: Reader, context: str, text: str, references: Sequence[Reference], *, rules: Rules, depth: int = 0
    ) -> Parsed:
        if depth > self._limits.reference_depth:
            raise self._too_deep()
        rows = [_referred(reader, context, reference) for reference in references]
        if sum(len(row.content.text) for row in rows) > self._limits.reference_bytes:
            raise self._too_long()
        key = (text, *((row.content_sha256, row.resolved_sha256) for row in rows))
        parsed = self._parsed.get(key)
        if parsed is None or not (parsed.is_strict or rules == "stored"):
            known, below = self._known(reader, rows, depth=depth + 1)
            height = max((each.height + 1 for each in known), default=0)
            # Asked here too: what is remembered ends the descent, and a chain must not be too deep only after a restart.
            if height > self._limits.reference_depth:
                raise self._too_deep()
            schema, is_strict = _parsed_text(text, [each.schema for each in known], rules)
            if exceeds(schema, self._limits.types_and_fields):
                raise self._too_large()
            parsed = Parsed(schema, height, below, is_strict=is_strict)
            self._parsed.put(key, parsed)
        return parsed

    def _known(
        self, reader: Reader, rows: Sequence[SchemaRow], *, depth: int
    ) -> tuple[list[Parsed], dict[Hashable, int]]:
        """What is referred to, and the bytes of all that this and what it refers to in turn say, each counted once."""
        known, below = list[Parsed](), dict[Hashable, int]()
        for row in rows:
            content = row.content
            known.append(
                self._parse(reader, row.context, content.text, content.references, rules="stored", depth=depth)
            )
            below |= known[-1].below
            below[row.content_sha256, row.resolved_sha256] = max(len(content.text), REFERRED_BYTES)
            # Asked each time, so that what is too long is not parsed on to its end.
            if sum(below.values()) > self._limits.reference_bytes:
                raise self._too_long()
        return known, below

    def _too_large(self) -> InvalidSchema:
        return InvalidSchema(
            f"it has more than {self._limits.types_and_fields} types and fields, with all that it uses of its references"
        )

    def _too_long(self) -> InvalidSchema:
        return InvalidSchema(f"references have more text than {self._limits.reference_bytes} bytes")

    def _too_deep(self) -> InvalidSchema:
        return InvalidSchema(f"references are nested deeper than {self._limits.reference_depth}")


def guid_of(content: Content) -> str:
    """Confluent's label of a content."""
    references = [reference.as_json() for reference in content.references]
    return str(
        avro.confluent_guid(content.text, references=references, metadata=content.metadata, rule_set=content.rule_set)
    )


def _parsed_bytes(_key: tuple[Hashable, ...], parsed: Parsed) -> int:
    return len(parsed.schema.text) + 512 + BELOW_BYTES * len(parsed.below)


def _spelled_bytes(key: tuple[Hashable, ...], spelled: Spelled) -> int:
    # The text as sent, extras twice (as key and as members), the text as stored, and what Python adds to each object.
    return sum(len(part) for part in key if isinstance(part, str)) * 2 + len(spelled.content.text) + 1024


def _written(spelling: Callable[[avro.Schema], str], schema: avro.Schema) -> str:
    try:
        return spelling(schema)
    except avro.SchemaError as error:
        raise InvalidSchema(error) from error


def _parsed_text(text: str, references: Sequence[avro.Schema], rules: Rules) -> tuple[avro.Schema, bool]:
    """The tree, and whether the rules for new schemas accept it: they are asked first, for most that is stored passes them."""
    try:
        return avro.parse(text, references=references, rules="new"), True
    except avro.SchemaError as error:
        if rules == "new":
            raise InvalidSchema(error) from error
    try:
        return avro.parse(text, references=references, rules="stored"), False
    except avro.SchemaError as error:
        raise InvalidSchema(error) from error


def _referred(reader: Reader, context: str, reference: Reference) -> SchemaRow:
    target = reference.target(context)
    row = reader.referred(target, reference.version)
    if row is None:
        raise _missing(target, reference.version)
    return row


def _missing(target: Name, number: int) -> InvalidSchema:
    return InvalidSchema(f'No schema reference found for subject "{target}" and version {number}')
