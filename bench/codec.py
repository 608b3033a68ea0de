"""How fast the codec is, as a multiple of fastavro on dicts: ratios, for machines differ.

Processor time. Candidates take turns A B C C B A in slices of about 8 ms, so that what else the machine does falls on all of them; the
figure is the median over rounds of each round's ratio. Ours: typed, framed, every check on. Run: ``make bench``.
"""

from __future__ import annotations

import dataclasses
import enum
import io
import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import fastavro

from bench.report import Row
from bench.shapes import SHAPES, events
from treaty_avro import compile_decoder, compile_encoder, parse

_ROUNDS = 15
_SLICE_SECONDS = 0.008
_FRAME = b"\x00\x00\x00\x00\x01"


# Multiples of fastavro on dicts: encode, decode. The native core to come has its own.
_TARGETS = {"small": (2.5, 2.0), "medium": (3.0, 2.0), "large": (1.9, 1.3)}


def measure() -> list[Row]:
    """One row a shape and direction, and one for a writer that has a field more."""
    rows = []
    for name, cls, document in SHAPES:
        encoded, decoded, evolved, size = _figures(cls, document)
        least_encode, least_decode = _TARGETS[name]
        what = f"codec, {name} event ({size:.0f} B)"
        rows.append(Row(f"{what}: encode", f"{encoded:.2f} × fastavro", f"≥ {least_encode} ×", encoded >= least_encode))
        rows.append(Row(f"{what}: decode", f"{decoded:.2f} × fastavro", f"≥ {least_decode} ×", decoded >= least_decode))
        rows.append(
            Row(f"{what}: decode from a newer writer", f"{evolved:.2f} × same", "1.0 ± 0.1", abs(evolved - 1) <= 0.1)
        )
    return rows


def _figures(cls: type, document: dict[str, Any]) -> tuple[float, float, float, float]:
    values = events(cls, 64, random.Random(1))  # noqa: S311  # the same events each run
    encode: Any = compile_encoder(cls, prefix=_FRAME)
    decode: Any = compile_decoder(cls)
    fields = [*document["fields"], {"name": "added_later", "type": "string"}]
    evolved: Any = compile_decoder(cls, parse(json.dumps({**document, "fields": fields})))
    schema = fastavro.parse_schema(document)
    data = [encode(value) for value in values]
    dicts = [_plain(value) for value in values]
    assert [_fastavro_encode(schema, each) for each in dicts] == [each[5:] for each in data]
    ours = _over(encode, values)
    encoded, _ = _ratios(ours, _over(lambda each: _fastavro_encode(schema, each), dicts), ours)
    decoded, decoded_evolved = _ratios(
        _over(lambda each: decode(each, 5), data),
        _over(lambda each: fastavro.schemaless_reader(io.BytesIO(each[5:]), schema, None), data),
        _over(lambda each: evolved(each, 5), [each + b"\x02x" for each in data]),
    )
    return encoded, decoded, decoded / decoded_evolved, statistics.mean(map(len, data))


def _over(function: Callable[[Any], Any], values: list[Any]) -> Callable[[], Any]:
    def run() -> None:
        for value in values:
            function(value)

    return run


def _ratios(ours: Callable[[], Any], theirs: Callable[[], Any], also: Callable[[], Any]) -> tuple[float, float]:
    """How many times ``ours`` and ``also`` are faster than ``theirs``."""
    candidates = (ours, theirs, also)
    counts = [_count(each) for each in candidates]
    rounds = []
    for _ in range(_ROUNDS):
        spent = [0.0, 0.0, 0.0]
        for index in (0, 1, 2, 2, 1, 0):
            spent[index] += _seconds(candidates[index], counts[index]) / counts[index]
        rounds.append((spent[1] / spent[0], spent[1] / spent[2]))
    return statistics.median(each[0] for each in rounds), statistics.median(each[1] for each in rounds)


def _count(candidate: Callable[[], Any]) -> int:
    candidate()
    return max(1, round(_SLICE_SECONDS / _seconds(candidate, 3) * 3))


def _seconds(candidate: Callable[[], Any], count: int) -> float:
    begin = time.process_time()
    for _ in range(count):
        candidate()
    return time.process_time() - begin


def _fastavro_encode(schema: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, value)
    return stream.getvalue()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.value if isinstance(value, enum.Enum) else value
