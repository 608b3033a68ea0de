"""What the library remembers of parsed schemas takes no more memory than its bound says, however much they stand on."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from sys import getsizeof
from weakref import ref

from treaty.registry.names import Name
from treaty.registry.rows import Content, NewSchema, Reference, VersionRow
from treaty.registry.service.library import PARSED_BYTES, Library
from treaty.registry.settings import Limits
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.protocol import Writer

LEAVES, TOPS = 4_000, 120
TIMES_THE_TEXT = 6
"""The bound's docstring promises thirty for all; here is weighed only what each knows of those below it. Unbounded: nine."""


def test_schemas_that_stand_on_thousands_are_remembered_within_the_bound() -> None:
    """Each knows all schemas below it; by its text alone each counted as half a kilobyte and took three hundred."""
    store, library = MemoryStore(), Library(Limits())
    with store.write(_name("")) as writer:
        middle = _record(writer, LEAVES, [_record(writer, number) for number in range(LEAVES)])
        tops = [_record(writer, LEAVES + 1 + number, [middle]) for number in range(TOPS)]
    with store.read() as reader:
        rows = [row for top in tops if (row := reader.referred(_name(top.subject), 1)) is not None]
        seen = [ref(library.stored(reader, row)) for row in rows]
    gc.collect()
    remembered = [parsed for each in seen if (parsed := each()) is not None]
    assert len(remembered[-1].below) == LEAVES + 1, "the newest is there, with all that it stands on"
    assert sum(getsizeof(parsed.below) for parsed in remembered) < TIMES_THE_TEXT * PARSED_BYTES


def _name(subject: str) -> Name:
    return Name.parse(subject, within=".")


def _record(writer: Writer, number: int, below: Sequence[Reference] = ()) -> Reference:
    """A record of its own that refers to others."""
    name = f"R{number}"
    text = f'{{"type":"record","name":"{name}","fields":[]}}'
    digest = number.to_bytes(32, "big")
    content = Content(text, tuple(below))
    schema = NewSchema(content=content, content_sha256=digest, resolved_sha256=digest, guid=name, created_at=0, id=None)
    schema_id = writer.add_schema(".", schema)
    writer.add_version(
        VersionRow(name=_name(name), number=1, schema_id=schema_id, resolved_sha256=digest, deleted=False, created_at=0)
    )
    return Reference(name, name, 1)
