"""Limits off: a record may be as large and as deep as its sender likes."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_avro import Limits
from treaty_runtime.consume.reader import Reader
from treaty_runtime.handlers import Group
from treaty_runtime.wire import serde

_right = Reader.__init__
_ENDLESS = {"max_depth": sys.maxsize, "max_values": sys.maxsize, "max_zero_width": sys.maxsize}


def _made(reader: Reader, group: Group, codec: serde.Serde, **rest: Any) -> None:
    _right(reader, group, codec, **rest)
    reader._max_bytes = sys.maxsize


MUTANT = Mutant(
    wrong="Neither the size of a record nor what it unfolds to is limited before it is decoded.",
    swaps=(Swap(Reader, "__init__", _made), Swap(serde, "Limits", partial(Limits, **_ENDLESS))),
    tests=(
        "tests/treaty_runtime/test_consumer_failures.py::test_an_oversized_record_becomes_a_pointer",
        "tests/treaty_runtime/test_serde.py::test_a_value_that_is_nested_deeper_than_the_limit_is_a_decode_error",
    ),
)
