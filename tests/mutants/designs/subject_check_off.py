"""The subject check off: any schema that the registry knows is good for any topic."""

from __future__ import annotations

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.consume.reader import Reader


async def _allow(_reader: Reader, _topic: str, _schema_id: int, _name: str) -> None:
    """Whatever it is."""


MUTANT = Mutant(
    wrong="Records of a schema that only other topics have are read.",
    swaps=(Swap(Reader, "_check_allowed", _allow),),
    tests=tuple(
        "tests/treaty_runtime/test_reader.py"
        f"::test_a_writer_that_only_other_topics_have_is_refused_whether_its_class_is_handled_or_not[{event}]"
        for event in ("OrderCreated", "OrderSeen")
    ),
)
