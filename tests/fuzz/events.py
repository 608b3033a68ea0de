"""The mall's own events as data to spoil: the fifteen with the longest schemas, each with all that is optional."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from treaty_avro import Record, compile_generic, example, parse_files

FOLDER: Final = Path(__file__).resolve().parents[2] / "schemas"
COUNT: Final = 15


def mall_events() -> Iterator[tuple[str, Any, bytes]]:
    """Full name, decoder and valid data of each."""
    files = {str(path): path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*/*.avsc"))}
    records = [schema for schema in parse_files(files).values() if isinstance(schema.root, Record)]
    for schema in sorted(records, key=lambda each: (-len(each.text), each.name))[:COUNT]:
        encode, decode = compile_generic(schema)
        yield schema.name, decode, encode(example(schema, seed=1))
