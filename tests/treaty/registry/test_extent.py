"""A schema has at most ten thousand types and fields, however short its own text is."""

from __future__ import annotations

import json

import pytest

import treaty_avro as avro
from tests.treaty.registry.asking import asking
from treaty.registry.decisions.extent import exceeds
from treaty.registry.settings import Limits, RegistrySettings
from treaty.registry.testing import registry

ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
MOST = Limits().types_and_fields


def record(name: str, types: list[object]) -> str:
    fields = [{"name": f"f{number}", "type": each} for number, each in enumerate(types)]
    return json.dumps({"type": "record", "name": name, "fields": fields})


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('"int"', 0),
        (json.dumps(ENUM), 1),
        ('{"type": "fixed", "name": "F", "size": 2}', 1),
        ('["null", "int"]', 1),
        ('{"type": "array", "items": {"type": "map", "values": "long"}}', 2),
        (record("R", ["int", "int", "int"]), 4),
        (record("R", [ENUM, "E", "E"]), 5),
        (record("R", [["null", "R"], {"type": "array", "items": "R"}]), 5),
    ],
)
def test_types_are_counted_with_their_fields_and_named_ones_once(text: str, count: int) -> None:
    schema = avro.parse(text)
    assert not exceeds(schema, count)
    assert exceeds(schema, count - 1)


def test_what_is_used_of_a_reference_counts_and_the_rest_of_it_does_not() -> None:
    both = avro.parse(record("Both", [json.loads(record("Used", ["int"])), json.loads(record("Unused", ["int"]))]))
    user = avro.parse(record("User", ["Used"]), references=[both])
    assert not exceeds(user, 4)
    assert exceeds(user, 3)


def test_a_type_that_was_read_twice_counts_once() -> None:
    left, right = (avro.parse(record(side, ["E"]), references=[avro.parse(json.dumps(ENUM))]) for side in "LR")
    top = avro.parse(record("Top", ["L", "R"]), references=[left, right])
    assert not exceeds(top, 8)
    assert exceeds(top, 7)


def test_a_schema_of_ten_thousand_is_taken_and_of_one_more_is_refused() -> None:
    with registry() as url, asking(url) as client:
        whole = {"schema": record("R", ["int"] * (MOST - 1))}
        assert client.post("/subjects/s/versions", json=whole).status_code == 200
        for path in ("/subjects/t/versions", "/compatibility/subjects/t/versions", "/subjects/s"):
            answer = client.post(path, json={"schema": record("R", ["int"] * MOST)})
            assert (answer.status_code, answer.json()["error_code"]) == (422, 42201), path
            assert "more than 10000 types and fields" in answer.json()["message"]


def test_types_and_fields_of_references_count_however_they_come_in() -> None:
    """By a registration, without the rules for new schemas, and with an id: nothing is kept that could not be resolved later."""
    limits = Limits(types_and_fields=10)
    with registry(settings=RegistrySettings(limits=limits)) as url, asking(url) as client:
        for name in "AB":
            assert client.post(f"/subjects/{name}/versions", json={"schema": record(name, ["int"] * 4)}).is_success
        references = [{"name": name, "subject": name, "version": 1} for name in "AB"]
        body = {"schema": record("T", ["A", "B"]), "references": references}
        for path, told, more in (
            ("/config", {"compatibility": "BACKWARD"}, {}),
            ("/config", {"validateNewSchemas": False}, {}),
            ("/mode/t", {"mode": "IMPORT"}, {"id": 9, "version": 1}),
        ):
            assert client.put(path, json=told).is_success
            answer = client.post("/subjects/t/versions", json={**body, **more})
            assert (answer.status_code, answer.json()["error_code"]) == (422, 42201), told
            assert "more than 10 types and fields" in answer.json()["message"]
        assert client.delete("/mode/t").is_success
        one = {"schema": record("T", ["A"]), "references": references}
        assert client.post("/subjects/t/versions", json=one).is_success, "what it does not use does not count"
