"""What is remembered of comparisons never changes an answer."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest

from treaty.registry.decisions.request import SchemaRequest
from treaty.registry.errors import RegistryError
from treaty.registry.names import TOP, Name
from treaty.registry.rows import Json
from treaty.registry.service import RegistryService
from treaty.registry.service.judging import Judgement
from treaty.registry.service.registering import How
from treaty.registry.service.verdicts import Verdicts
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore

LEVELS = ["BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"]


@pytest.mark.parametrize(
    ("kept", "asked", "is_known"),
    [
        ("BACKWARD", "BACKWARD_TRANSITIVE", True),
        ("FULL", "FORWARD", True),
        ("FULL_TRANSITIVE", "BACKWARD", True),
        ("BACKWARD", "FORWARD", False),
        ("FORWARD", "FULL", False),
    ],
)
def test_a_level_knows_the_directions_that_were_compared(kept: str, asked: str, is_known: bool) -> None:
    verdicts = Verdicts()
    verdicts.keep(b"new", [b"old"], level=kept)
    assert verdicts.open(b"new", [b"old", b"other"], level=asked) == ({b"other"} if is_known else {b"old", b"other"})


def test_who_reads_whom_is_known_from_both_sides() -> None:
    verdicts = Verdicts()
    verdicts.keep(b"new", [b"old"], level="BACKWARD")
    assert verdicts.open(b"old", [b"new"], level="FORWARD") == set()


def test_a_history_that_was_settled_says_nothing_of_another_or_of_another_level() -> None:
    verdicts = Verdicts()
    verdicts.keep(b"new", [b"a", b"b"], level="BACKWARD_TRANSITIVE")
    for _ in range(2):
        assert verdicts.open(b"new", [b"a", b"b"], level="BACKWARD_TRANSITIVE") == set()
    assert verdicts.open(b"new", [b"a", b"b", b"c"], level="BACKWARD_TRANSITIVE") == {b"c"}
    assert verdicts.open(b"new", [b"a", b"b"], level="FULL_TRANSITIVE") == {b"a", b"b"}


def test_a_registry_that_remembers_answers_like_one_that_does_not() -> None:
    """Texts of few kinds come again and again, at changing levels, while versions come and go."""
    store, chance = MemoryStore(), random.Random(1)
    remembering = service(store)
    name, types = Name(".", "s"), ["int", "long", "string", ["null", "int"]]
    for _ in range(400):
        fresh = service(store)
        remembering.governing.set_config(TOP, {"compatibility": chance.choice(LEVELS)})
        text = json.dumps(
            {"type": "record", "name": "R", "fields": [field(n, chance.choice(types), chance) for n in range(2)]}
        )
        request = SchemaRequest(text=text)
        assert judged(remembering, name, request) == judged(fresh, name, request)
        if chance.random() < 0.2:
            force = chance.random() < 0.5
            try:
                remembering.registering.register(name, request, how=How(force=force))
            except RegistryError:
                continue


def service(store: MemoryStore) -> RegistryService:
    return RegistryService(store, settings=RegistrySettings(), now=lambda: datetime.now(UTC))


def field(number: int, kind: Json, chance: random.Random) -> Json:
    default: Json = (
        {"default": {"string": ""}.get(str(kind), 0)} if chance.random() < 0.5 and kind != ["null", "int"] else {}
    )
    return {"name": f"f{number}", "type": kind, **default}


def judged(service: RegistryService, name: Name, request: SchemaRequest) -> Judgement:
    return service.judging.check(name, request, version=None, normalize=False, verbose=True)
