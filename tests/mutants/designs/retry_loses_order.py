"""A retry that loses the order: whatever its handler asked for, a failed record goes on its way and the next ones pass it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.consume.actions import Action
from treaty_runtime.consume.facts import FailedAttempt
from treaty_runtime.consume.intake import Work
from treaty_runtime.consume.verdicts import Verdicts

_right = Verdicts.judge


def _judge(verdicts: Verdicts, work: Work, failed: FailedAttempt, **rest: Any) -> Iterator[Action]:
    return _right(verdicts, work, replace(failed, on_failure="skip"), **rest)


MUTANT = Mutant(
    wrong="Failed records of every handler take the retry topics, so later ones of their key pass them.",
    swaps=(Swap(Verdicts, "judge", _judge),),
    tests=(
        "tests/treaty_runtime/test_hold_key.py::test_the_records_of_a_failed_ones_key_wait_for_it_and_keep_their_order[memory]",
        "tests/treaty_runtime/test_harness.py::test_a_skipping_handler_lets_later_records_of_the_key_pass_and_a_blocking_one_does_not",
    ),
)
