"""The engine's work costs what ``bench/counts.toml`` says: counts, not times, so that no load of the machine is seen."""

from __future__ import annotations

import os
import shutil
import tomllib
from typing import Any, NoReturn

import pytest

from bench import counts

RECORDED: dict[str, Any] = tomllib.loads(counts.FIGURES.read_text(encoding="utf-8"))
PRINT = "`python -m bench.counts` prints the table to add to bench/counts.toml"


def test_steps_of_the_interpreter_are_those_on_record() -> None:
    if counts.version() not in RECORDED["steps"]:
        pytest.skip(f"no steps of {counts.version()} are on record; {PRINT}")
    assert counts.judged(counts.steps(), RECORDED["steps"][counts.version()]) == []


@pytest.mark.long
def test_instructions_of_the_processor_are_those_on_record() -> None:
    if counts.build() not in RECORDED["instructions"]:
        pytest.skip(f"no instructions of {counts.build()} are on record; {PRINT}")
    valgrind = shutil.which("valgrind") or _missing()
    assert counts.judged(counts.instructions(valgrind), RECORDED["instructions"][counts.build()]) == []


def _missing() -> NoReturn:
    sentence = "valgrind is missing; install it with `make test-deps`, or your system's package of that name"
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        ({"a": 105, "b": 95}, []),
        ({"a": 106, "b": 100}, ["a: 106, 6% more"]),
        ({"a": 100, "b": 94}, ["b: 94, 6% less"]),
        ({"a": 100}, ["b: None measured"]),
        ({"a": 100, "b": 100, "c": 1}, ["c: 1 measured, None recorded"]),
    ],
)
def test_five_percent_either_way_are_told_and_so_is_what_only_one_side_knows(
    measured: dict[str, int], words: list[str]
) -> None:
    found = counts.judged(measured, {"a": 100, "b": 100})
    assert len(found) == len(words)
    assert all(sentence.startswith(begin) for sentence, begin in zip(found, words, strict=True))
