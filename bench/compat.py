"""How fast compatibility is checked, as a multiple of Apache Avro for Python: ratios, for machines differ.

A thousand pairs of ``bench.pairs``. Processor time, turns A B B A, the median over rounds of each round's ratio. Run: ``make bench``.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse as apache_parse

from bench.pairs import FIELDS, pairs
from bench.report import Row
from treaty_avro import incompatibilities, parse

_PAIRS, _ROUNDS = 1_000, 7
_PARSED, _CHECKED = 5.0, 10.0


def measure() -> list[Row]:
    """Two rows: texts parsed and checked, and the check alone."""
    texts = list(pairs(_PAIRS, random.Random(1)))  # noqa: S311  # the same pairs each run
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
    what = f"compatibility of {_PAIRS:,} pairs of {FIELDS} fields"
    return [
        Row(f"{what}: parse and check", f"{both:.1f} × avro", f"≥ {_PARSED:.0f} ×", both >= _PARSED),
        Row(f"{what}: check", f"{alone:.1f} × avro", f"≥ {_CHECKED:.0f} ×", alone >= _CHECKED),
    ]


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
