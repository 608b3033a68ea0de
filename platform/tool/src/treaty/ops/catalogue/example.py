"""An event as it looks on a page: as JSON and as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from treaty.ops.catalogue.html import Child, el, pre
from treaty.ops.catalogue.places import Places
from treaty_avro import AvroError, compile_generic, from_json
from treaty_codegen.catalog import SchemaFile

LARGEST_HEX: Final = 4_096
"""Bytes that a page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An event as JSON and as bytes in hexadecimal; "" for what there is not. Made once, shown in each language."""

    text: str = ""
    data: str = ""


def sample(file: SchemaFile, text: str | None) -> Sample:
    """An example (JSON in the plain style) with its bytes."""
    if text is None:
        return Sample()
    try:
        data = compile_generic(file.schema)[0](from_json(file.schema, text, style="plain"))
    except AvroError:
        return Sample(text=text)
    more = " …" if len(data) > LARGEST_HEX else ""
    return Sample(text=text, data=data[:LARGEST_HEX].hex(" ") + more)


def example(made: Sample, places: Places) -> list[Child]:
    """An event as JSON and as bytes."""
    if not made.text:
        return [el("p", places.words("There is none: the smallest value has no end, or is too large for a page."))]
    binary = [el("p", places.words("The same in Avro's binary form:")), pre(made.data)]
    return [pre(made.text), *(binary if made.data else ())]
