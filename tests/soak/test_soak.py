"""The soak finds what it looks for, and a short one finds nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.soak.ledger import Ledger
from tests.soak.registry import soak
from tests.soak.traffic import KINDS, Client, Line


class Scripted(Line):
    """A line whose answer was written before."""

    def __init__(self, status: int, value: object, **headers: str) -> None:
        super().__init__(0, {})
        self._answer = status, value, {key.replace("_", "-"): each for key, each in headers.items()}

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, object, dict[str, str]]:  # noqa: ARG002  # any question
        return self._answer


def client(line: Line, ledger: Ledger) -> Client:
    return Client(1, line, ledger, random.Random(1))


def test_an_id_that_is_given_twice_is_found() -> None:
    ledger = Ledger()
    ledger.acknowledge("a", 1, 7, "one", is_kept=False)
    ledger.forget("a")
    ledger.acknowledge("b", 1, 7, "two", is_kept=True)
    assert ledger.wrong == ["id 7 was given twice: one and two"]


def test_a_text_with_two_ids_and_a_version_that_changes_are_found() -> None:
    ledger = Ledger()
    ledger.acknowledge("a", 1, 7, "one", is_kept=True)
    ledger.acknowledge("b", 1, 8, "one", is_kept=True)
    ledger.acknowledge("a", 1, 9, "three", is_kept=True)
    assert len(ledger.wrong) == 2


@pytest.mark.parametrize(
    ("status", "headers", "is_wrong"),
    [(500, {}, True), (502, {"retry_after": "1"}, True), (503, {}, True), (503, {"retry_after": "1"}, False)],
)
def test_a_refusal_that_no_client_could_wait_for_is_found(status: int, headers: dict[str, str], is_wrong: bool) -> None:
    ledger = Ledger()
    client(Scripted(status, {}, **headers), ledger).listed()
    assert bool(ledger.wrong) is is_wrong


@pytest.mark.parametrize("kind", ["by_id", "latest", "again", "look_up", "check"])
def test_an_acknowledged_registration_that_is_gone_is_found(kind: str) -> None:
    ledger = Ledger()
    ledger.acknowledge("a", 1, 7, "one", is_kept=True)
    getattr(client(Scripted(404, {"error_code": 40401}), ledger), kind)()
    assert len(ledger.wrong) == 1
    assert kind in KINDS


@pytest.mark.chaos
@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_a_short_soak_finds_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("soak")
    folder.chmod(0o755)
    ledger = soak(folder, requests=2_000, seed=1)
    assert ledger.wrong == []
    assert ledger.counts["killed workers"] == ledger.counts["restarts of the database"] == 1
    assert ledger.counts["acknowledged"] > 100
