"""What a schema breaks, told by the registry in the words of ``treaty breaking``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

import treaty_avro as avro
from tests.treaty.registry.asking import asking
from treaty.registry.decisions.breaking import MOST_FINDINGS, Newcomer, breaks, merged, refusals
from treaty.registry.errors import InvalidSchema, StartRefused
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.testing import registry

COUNT = {"name": "count", "type": "int"}
WIDER = {"name": "count", "type": "long"}
NOTE = {"name": "note", "type": "string", "default": ""}
OTHER_NOTE = {"name": "note", "type": "string", "default": "none"}


def total(scale: int) -> dict[str, Any]:
    return {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": scale}}


def record(*fields: dict[str, Any]) -> avro.Schema:
    return avro.parse(json.dumps({"type": "record", "name": "T", "fields": list(fields)}))


def newcomer(schema: avro.Schema, *, level: str = "BACKWARD", every: Sequence[avro.Schema] = ()) -> Newcomer:
    return Newcomer(schema=schema, level=level, every=lambda: every)


def versions(*schemas: avro.Schema) -> list[avro.Version]:
    """Versions from 1, newest first."""
    return [avro.Version(number, each, each.text) for number, each in enumerate(schemas, 1)][::-1]


def told(new: Newcomer, history: Sequence[avro.Version]) -> list[tuple[str, int | None]]:
    return [(each.finding.rule, each.version) for each in merged(breaks(new, history, categories=("wire", "meaning")))]


def test_a_break_is_told_in_the_directions_that_the_level_promises() -> None:
    old = versions(record(COUNT))
    assert told(newcomer(record(WIDER)), old) == []
    assert told(newcomer(record(WIDER), level="FULL"), old) == [("type-changed", 1)]
    (found,) = merged(breaks(newcomer(record(WIDER), level="FORWARD"), old, categories=("wire",)))
    assert (found.path, found.before, found.after) == ("count", "int", "long")
    assert found.fails == ("readers of version 1, on records of the new schema",)


def test_a_change_of_meaning_fails_both_sides_where_both_are_promised() -> None:
    (found,) = merged(
        breaks(newcomer(record(total(4)), level="FULL"), versions(record(total(2))), categories=("meaning",))
    )
    assert found.fails == (
        "readers of the new schema, on records of version 1",
        "readers of version 1, on records of the new schema",
    )


def test_the_same_cause_is_told_of_the_newest_version_alone() -> None:
    old = versions(record(total(2)), record(total(2), NOTE))
    assert told(newcomer(record(total(4)), level="FULL_TRANSITIVE"), old) == [("decimal-scale-changed", 2)]


def test_a_level_that_promises_nothing_is_told_of_meaning_alone() -> None:
    old = versions(record(total(2), COUNT))
    assert told(newcomer(record(total(4), {"name": "new", "type": "int"}), level="NONE"), old) == [
        ("decimal-scale-changed", 1)
    ]


def test_a_changed_default_matters_if_any_version_ever_lacked_the_field() -> None:
    first, second = record(COUNT), record(COUNT, NOTE)
    new = newcomer(record(COUNT, OTHER_NOTE), every=[first, second])
    assert len(refusals(new, versions(first, second)[:1])) == 2
    assert refusals(newcomer(record(COUNT, OTHER_NOTE), every=[second]), versions(second)) == []


def test_a_refusal_names_the_newest_version_that_is_taken_for_something_else() -> None:
    old = versions(record(total(2)), record(total(3)), record(COUNT))
    messages = refusals(newcomer(record(total(4)), level="FULL_TRANSITIVE"), old)
    assert messages[0].startswith("{errorType:'DECIMAL_SCALE_CHANGED'")
    assert messages[1:] == ["{oldSchemaVersion: 2}"]


def test_what_only_warns_is_not_refused() -> None:
    null_too = record({"name": "count", "type": ["null", "int"]})
    assert told(newcomer(null_too), versions(record(COUNT))) == [("null-newly-possible", 1)]
    assert refusals(newcomer(null_too), versions(record(COUNT))) == []


def test_types_that_meet_too_deep_are_refused_and_end_nothing() -> None:
    """Circles of 60 and 61 types meet in 3,660 pairs, each a step deeper."""
    old, new = circle(60), circle(61)
    with pytest.raises(InvalidSchema, match="meet too deep"):
        list(breaks(newcomer(new), versions(old), categories=("wire", "meaning")))


def circle(length: int) -> avro.Schema:
    inner: Any = "T0"
    for number in reversed(range(length)):
        inner = {"type": "record", "name": f"T{number}", "fields": [{"name": "next", "type": inner}]}
    return avro.parse(json.dumps(inner), rules="stored")


def unions(letter: str, *, count: int) -> dict[str, str]:
    """Many unions, each of which begins the whole record again."""
    branches = ["null", "int", "string", "long", "R"]
    fields = [{"name": f"{letter}{number}", "type": branches} for number in range(count)]
    return {"schema": json.dumps({"type": "record", "name": "R", "fields": fields})}


def branches(field: str) -> dict[str, str]:
    """One union of so many records that each of two has to be compared with each of the other's."""
    inner = [
        {"type": "record", "name": f"T{number}", "fields": [{"name": field, "type": "int"}]} for number in range(2_000)
    ]
    return {"schema": json.dumps({"type": "record", "name": "U", "fields": [{"name": "u", "type": inner}]})}


@pytest.mark.long
def test_what_has_too_many_pairs_to_compare_is_refused_by_name() -> None:
    """It was answered with 500, to whoever may read."""
    with registry(MemoryStore(), settings=RegistrySettings()) as url, asking(url) as client:
        client.post("/subjects/s/versions", json=branches("x")).raise_for_status()
        answer = client.post("/compatibility/subjects/s/versions", json=branches("y"))
        assert (answer.status_code, answer.json()["error_code"]) == (422, 42201)
        verbose = client.post("/compatibility/subjects/s/versions?verbose=true", json=branches("y")).json()
    assert verbose["is_compatible"] is False
    for message in (answer.json()["message"], verbose["messages"][0]):
        assert "pairs of types to compare" in message


def test_of_large_schemas_breaks_are_told_and_not_proven() -> None:
    """Looking for values of a record of two thousand unions kept a thread for minutes, at a reader's word."""
    with registry(MemoryStore(), settings=RegistrySettings()) as url, asking(url) as client:
        client.post("/subjects/s/versions", json=unions("a", count=1_000)).raise_for_status()
        answer = client.post("/treaty/v1/compatibility/subjects/s", json=unions("b", count=1_000)).json()
    assert answer["is_compatible"] is False
    assert len(answer["findings"]) == MOST_FINDINGS
    assert not any(finding.get("proof") for finding in answer["findings"])


def test_an_answer_tells_a_bounded_number_of_findings() -> None:
    many = [{**total(2), "name": f"f{number}"} for number in range(MOST_FINDINGS + 5)]
    changed = [{**total(4), "name": f"f{number}"} for number in range(MOST_FINDINGS + 5)]
    with registry(MemoryStore(), settings=RegistrySettings()) as url, asking(url) as client:
        client.post("/subjects/s/versions", json={"schema": record(*many).text}).raise_for_status()
        answer = client.post("/treaty/v1/compatibility/subjects/s", json={"schema": record(*changed).text}).json()
    assert len(answer["findings"]) == MOST_FINDINGS
    assert answer["more"] is True


def test_force_lets_a_change_of_meaning_in() -> None:
    settings = RegistrySettings(meaning="refuse")
    with registry(MemoryStore(), settings=settings) as url, asking(url) as client:
        before, after = ({"schema": record(total(scale)).text} for scale in (2, 4))
        client.post("/subjects/s/versions", json=before).raise_for_status()
        assert client.post("/subjects/s/versions", json=after).json()["error_code"] == 40901
        assert client.post("/subjects/s/versions?force=true", json=after).status_code == 200


def test_a_registry_does_not_start_with_another_word_for_it() -> None:
    with pytest.raises(StartRefused, match="write off or refuse"):
        RegistrySettings(meaning="sometimes").require_sense()  # type: ignore[arg-type]  # what is refused
