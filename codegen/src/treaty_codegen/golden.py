"""Golden bytes: values of each released event as bytes that must be read for ever, and what each pair of releases makes of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from treaty_avro import (
    AvroError,
    Schema,
    compile_generic,
    example,
    incompatibilities,
    parse,
    parsing_canonical_form,
    to_json,
)
from treaty_codegen.carried import NotCarried, carried, is_equal
from treaty_codegen.diff import diff

MOST_CASES: Final = 64
"""Lines of one event; `treaty_avro.example` gives edge cases to the seeds below."""
MATRIX_VALUES: Final = 20

KINDS: Final = {"event": str, "version": str, "case": int, "schema_sha256": str, "json": str, "hex": str}
"""Member of a golden line to its type."""

Cell = Literal["same", "defaulted", "refused"]
"""What a reader makes of a writer's values: the same schema, another one that reads them all, or one that does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """One value of one event of one release. ``json`` is Avro's JSON encoding, ``hex`` the bytes without frame."""

    event: str
    version: str
    case: int
    schema_sha256: str
    json: str
    hex: str

    def line(self) -> str:
        """The value as one line of ``golden.jsonl``."""
        body = {name: getattr(self, name) for name in KINDS}
        return json.dumps(body, ensure_ascii=False) + "\n"


def golden(event: str, text: str, *, version: str, cases: Iterable[int] = range(MOST_CASES)) -> Iterator[Golden]:
    """Up to 64 values of an event's published text, each with other bytes; the same for ever."""
    schema = parse(text, rules="stored", path=event)
    encode, _ = compile_generic(schema)
    seen: set[bytes] = set()
    for case in cases:
        value = example(schema, seed=case)
        data = encode(value)
        if data not in seen:
            seen.add(data)
            yield Golden(
                event=event,
                version=version,
                case=case,
                schema_sha256=sha256(text),
                json=to_json(value, schema, style="avro"),
                hex=data.hex(),
            )


def read_golden(text: str) -> Iterator[Golden]:
    """The lines of a ``golden.jsonl``. Raises ``ValueError`` for a line that is none."""
    for number, line in enumerate(text.split("\n"), 1):  # not splitlines: texts in it hold other ends of lines
        if not line:
            continue
        try:
            yield checked(Golden(**json.loads(line)))
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"line {number} is no golden value: {error}") from None


def checked(line: Golden) -> Golden:
    """The same line. Raises ``ValueError`` for a member of another type, or bytes that are no hex."""
    for name, kind in KINDS.items():
        if type(getattr(line, name)) is not kind:  # not isinstance: true is no case
            raise ValueError(f"`{name}` is no {kind.__name__}")
    bytes.fromhex(line.hex)
    return line


def faults(line: Golden, *, written: str, today: str | None) -> Iterator[str]:
    """What is wrong with one golden line, as sentences.

    ``written``: the released text; its bytes must give the recorded value, and the value the bytes. ``today``: the event's text
    now (None: the event is gone); where it promises to read the old one, it must, and what it reads must be the value that
    follows from the recorded one.
    """
    if sha256(written) != line.schema_sha256:
        yield "the released text is not the one that these bytes were written with"
        return
    data = bytes.fromhex(line.hex)
    try:
        value = decoder(written, written)(data)
        schema, encode = writer(written)
        if to_json(value, schema, style="avro") != line.json:
            yield "the bytes give another value than was recorded"
            return  # nothing follows from what may be no value of the event at all
        if encode(value) != data:
            yield "the value gives other bytes than were recorded"
    except AvroError as error:
        yield f"the bytes cannot be read: {error}"
        return
    if today is not None and today != written:
        yield from faults_today(line, written=written, today=today)


def faults_today(line: Golden, *, written: str, today: str) -> Iterator[str]:
    """What is wrong with a golden line as a changed text reads it. What nobody promised may be refused, but not misread."""
    old, new = writer(written)[0], writer(today)[0]
    try:
        found = to_json(decoder(written, today)(bytes.fromhex(line.hex)), new, style="avro")
    except AvroError as error:
        if cell_is_promised(written, today):
            yield f"today's schema cannot read the bytes: {error}"
        return
    try:
        wanted = carried(json.loads(line.json), old.root, new.root)
    except NotCarried:
        return
    if not is_equal(wanted, json.loads(found)):
        yield f"today's schema reads {found}, where {json.dumps(wanted, ensure_ascii=False)} follows from what was recorded"


@cache
def cell(written: str, read: str) -> Cell:
    """What the schema ``read`` makes of 20 values of ``written``; both are published texts."""
    schema, encode = writer(written)
    try:
        decode = decoder(written, read)
        for seed in range(MATRIX_VALUES):
            decode(encode(example(schema, seed=seed)))
    except AvroError:
        return "refused"
    canonical = {parsing_canonical_form(parse(text, rules="stored")) for text in (written, read)}
    return "same" if len(canonical) == 1 else "defaulted"


@cache
def cell_is_promised(written: str, read: str) -> bool:
    """Whether the static verdict says that ``read`` reads ``written``: Avro's rules, and no change of meaning that we refuse."""
    old, new = (parse(text, rules="stored") for text in (written, read))
    try:
        if incompatibilities(new, old):
            return False
    except AvroError:  # ambiguous: nobody promises anything
        return False
    return not any(change.kind == "type-changed" for change in diff(old.root, new.root))


@cache
def writer(text: str) -> tuple[Schema, Any]:
    """The schema of a text and its encoder."""
    schema = parse(text, rules="stored")
    return schema, compile_generic(schema)[0]


@cache
def decoder(written: str, read: str) -> Any:
    """From bytes of ``written`` to values of ``read``."""
    reader = parse(read, rules="stored")
    return compile_generic(reader, parse(written, rules="stored"))[1]


def sha256(text: str) -> str:
    """SHA-256 of a published text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()
