"""What Confluent's own REST tests demand of a registry, ours gives; what it does not is named with the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from tests.cases.markdown import ROOT
from tests.treaty.registry.confluent_steps import Replay, RestTest, read
from treaty.registry.http.app import create_app
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.protocol import Store

FOLDER = ROOT / "compat-tests" / "rest-api-tests"
TESTS = [test for file in sorted(FOLDER.glob("*.txt")) for test in read(file)]
MISSES = tomllib.loads((FOLDER / "misses.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.id)
def test_a_test_of_confluents_passes(test: RestTest, new_store: Callable[[str], Store]) -> None:
    # One kind of store is enough: the transcripts and the state machine hold the others to it.
    with TestClient(create_app(new_store("memory"), settings=RegistrySettings())) as client:
        Replay(client).play(test)


def test_every_miss_has_a_reason_and_no_replay() -> None:
    replayed = {(test.file.stem, test.name) for test in TESTS}
    for name, tests in MISSES.items():
        for test, reason in tests.items():
            assert len(reason) > 20, test
            assert (name, test) not in replayed, test
