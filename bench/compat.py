"""How fast compatibility is checked, as a multiple of Apache Avro for Python: ratios, for machines differ.

A thousand pairs of records of 15 fields: every third has lost a field, every third changed a type, the others gained a
field with a default. Processor time, turns A B B A, the median over rounds of each round's ratio. Run: ``make bench``.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse as apache_parse

from bench.report import Row
from treaty_avro import incompatibilities, parse

_PAIRS, _FIELDS, _ROUNDS = 1_000, 15, 7
_PARSED, _CHECKED = 5.0, 10.0
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


def measure() -> list[Row]:
    """Two rows: texts parsed and checked, and the check alone."""
    texts = list(_pairs(random.Random(1)))  # noqa: S311  # the same pairs each run
    ours = [(parse(reader), parse(writer)) for reader, writer in texts]
    theirs = [(apache_parse(reader), apache_parse(writer)) for reader, writer in texts]
    assert [not incompatibilities(*pair) for pair in ours] == [_apache_check(*pair) for pair in theirs]
    both = _ratio(
        lambda: [incompatibilities(parse(reader), parse(writer)) for reader, writer in texts],
        lambda: [_apache_check(apache_parse(reader), apache_parse(writer)) for reader, writer in texts],
    )
    alone = _ratio(
        lambda: [incompatibilities(*pair) for pair in ours],
        lambda: [_apache_check(*pair) for pair in theirs],
    )
    what = f"compatibility of {_PAIRS:,} pairs of {_FIELDS} fields"
    return [
        Row(f"{what}: parse and check", f"{both:.1f} × avro", f"≥ {_PARSED:.0f} ×", both >= _PARSED),
        Row(f"{what}: check", f"{alone:.1f} × avro", f"≥ {_CHECKED:.0f} ×", alone >= _CHECKED),
    ]


def _pairs(rng: random.Random) -> Iterator[tuple[str, str]]:
    for number in range(_PAIRS):
        writer = [{"name": f"field_{n}", "type": rng.choice(_TYPES)} for n in range(_FIELDS)]
        reader = list(writer)
        place = rng.randrange(_FIELDS)
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


def _apache_check(reader: Any, writer: Any) -> bool:
    result = ReaderWriterCompatibilityChecker().get_compatibility(reader, writer)  # type: ignore[no-untyped-call]  # theirs
    return bool(result.compatibility is SchemaCompatibilityType.compatible)


def _ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    """How many times ``ours`` is faster than ``theirs``."""
    rounds = []
    for _ in range(_ROUNDS):
        first, second, third, fourth = map(_seconds, (ours, theirs, theirs, ours))
        rounds.append((second + third) / (first + fourth))
    return statistics.median(rounds)


def _seconds(candidate: Callable[[], object]) -> float:
    begin = time.process_time()
    candidate()
    return time.process_time() - begin
