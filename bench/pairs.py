"""Pairs of schema texts to compare: every third reader has lost a field, every third changed a type, the others gained one."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, Final

FIELDS: Final = 15
_TYPES: tuple[Any, ...] = (
    "string",
    "int",
    "long",
    "double",
    "boolean",
    "bytes",
    ["null", "string"],
    {"type": "array", "items": "string"},
    {"type": "map", "values": "long"},
    {"type": "long", "logicalType": "timestamp-millis"},
)


def pairs(count: int, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Texts of reader and writer."""
    for number in range(count):
        writer = [{"name": f"field_{n}", "type": rng.choice(_TYPES)} for n in range(FIELDS)]
        reader = list(writer)
        place = rng.randrange(FIELDS)
        match number % 3:
            case 0:
                del reader[place]
            case 1:
                reader[place] = {**writer[place], "type": rng.choice(_TYPES)}
            case _:
                reader.append({"name": "added_later", "type": "string", "default": ""})
        yield _text(number, reader), _text(number, writer)


def _text(number: int, fields: list[dict[str, Any]]) -> str:
    return json.dumps({"type": "record", "name": f"Event{number}", "namespace": "bench.events", "fields": fields})
