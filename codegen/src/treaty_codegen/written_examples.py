"""Examples of an event as people write them: ``<event>.examples.json`` beside its schema, a JSON array of values in the plain style."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from treaty_avro import DecodeError, SchemaError, from_json
from treaty_avro.schema import jsontext
from treaty_codegen.catalog import SchemaFile

SUFFIX: Final = ".examples.json"
STEP: Final = re.compile(r"""\[(['"])(.*?)\1\]|([^.\[\]]+)""")
"""One step of a codec's path: a map's key in quotes, a field or a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one file of examples, and where; lines and columns count code points from 1."""

    reason: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    pointer: str = ""


def examples_path(schema_path: str) -> str:
    """``order/order_created.examples.json`` for ``order/order_created.avsc``."""
    return schema_path.removesuffix(".avsc") + SUFFIX


def schema_path(path: str) -> str:
    """``order/order_created.avsc`` for ``order/order_created.examples.json``."""
    return path.removesuffix(SUFFIX) + ".avsc"


def first_example(text: str) -> object | None:
    """The first value of a file of examples as JSON; None where there is none that can be read."""
    try:
        values = jsontext.read(text, path="")
    except SchemaError:
        return None
    return values[0] if isinstance(values, list) and values else None


def faults(file: SchemaFile, text: str) -> Iterator[Fault]:
    """Every value that the event's schema does not take, or why the file holds no values at all."""
    try:
        values = jsontext.read(text, path=file.path)
    except SchemaError as error:
        line, column = max(error.line, 1), max(error.column, 1)
        yield Fault(reason=error.reason, line=line, column=column, end_line=line, end_column=column)
        return
    if not isinstance(values, list) or not values:
        yield Fault(reason="it is no JSON array with at least one value")
        return
    places = jsontext.Places(text)
    for number, value in enumerate(values):
        try:
            from_json(file.schema, json.dumps(value), style="plain")
        except DecodeError as error:
            reason = f"{error.path}: {error.reason}" if error.path else error.reason
            yield at(places, f"/{number}", error.path, reason)


def at(places: jsontext.Places, item: str, path: str, reason: str) -> Fault:
    """A fault at the innermost value on the way of ``path`` (``lines[0].by['x'].price``) that the text has."""
    pointer, found = item, places[item][1]
    for _, key, name in STEP.findall(path):
        step = key or name
        try:
            deeper = f"{pointer}/{jsontext.escape(step)}"
            pointer, found = deeper, places[deeper][1]
        except KeyError:
            break
    return Fault(
        reason=reason,
        line=found.line,
        column=found.column,
        end_line=found.end_line,
        end_column=found.end_column,
        pointer=pointer,
    )
