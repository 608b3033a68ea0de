"""What fuzzing began with and what it found keeps its properties, on machines without the fuzzer too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.properties import decoding_holds, parsing_holds

CORPUS = Path(__file__).resolve().parents[1] / "fuzz" / "corpus"


def each(target: str) -> list[Path]:
    found = sorted((CORPUS / target).iterdir())
    assert found, f"the corpus of {target} is empty"
    return found


@pytest.mark.parametrize("path", each("decoder"), ids=lambda path: path.name)
def test_data_of_the_corpus_are_values_or_refusals(path: Path) -> None:
    decoding_holds(path.read_bytes())


@pytest.mark.parametrize("path", each("parser"), ids=lambda path: path.name)
def test_texts_of_the_corpus_are_schemas_or_refusals(path: Path) -> None:
    parsing_holds(path.read_bytes().decode("utf-8", "surrogateescape"))
