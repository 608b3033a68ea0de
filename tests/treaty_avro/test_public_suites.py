"""The public test suites of Apache Avro and Karapace, as data: the same schemas, the same values, the same verdicts."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.treaty_avro.java import recorded
from treaty_avro import (
    DecodeError,
    ResolutionError,
    Schema,
    SchemaError,
    Version,
    canonical_text,
    check,
    compile_generic,
    fingerprint64,
    from_json,
    incompatibilities,
    parse,
    parse_files,
    parsing_canonical_form,
    to_json,
)

CANONICAL: Final = recorded("apache_canonical.jsonl")
TEXTS: Final = recorded("apache_texts.jsonl")
PAIRS: Final = recorded("apache_pairs.jsonl") + recorded("karapace_pairs.jsonl")
HISTORIES: Final = recorded("apache_histories.jsonl") + recorded("karapace_histories.jsonl")
VALUES: Final = recorded("apache_values.jsonl")


def names(cases: list[dict[str, Any]]) -> list[str]:
    """``TestSchema-12``: the suite, and the place in the file."""
    return [f"{case['suite']}-{number}" for number, case in enumerate(cases, 1)]


@pytest.mark.parametrize("case", CANONICAL, ids=names(CANONICAL))
def test_the_parsing_canonical_form_and_its_fingerprint_are_apaches(case: dict[str, Any]) -> None:
    schema = parse(case["text"])
    assert parsing_canonical_form(schema) == case["pcf"]
    assert parsing_canonical_form(parse(case["pcf"])) == case["pcf"]
    if "fingerprint64" in case:
        assert fingerprint64(schema) == case["fingerprint64"]


@pytest.mark.parametrize("case", TEXTS, ids=names(TEXTS))
def test_a_text_is_accepted_or_refused_as_apache_says(case: dict[str, Any]) -> None:
    references: list[Schema] = [parse(text) for text in case.get("references", ())]
    if case.get("refused"):
        with pytest.raises(SchemaError):
            parse(case["text"], references=references)
        return
    schema = parse(case["text"], references=references)
    assert canonical_text(schema) == case.get("canonical", canonical_text(schema))
    assert len(schema.warnings) == case.get("warnings", len(schema.warnings))


@pytest.mark.parametrize("case", PAIRS, ids=names(PAIRS))
def test_a_pair_has_the_published_verdict(case: dict[str, Any]) -> None:
    found = incompatibilities(parse(case["reader"]), parse(case["writer"]))
    assert (not found) == case.get("compatible", not case.get("found"))
    if "found" in case:
        assert [[each.type, each.location, each.message] for each in found] == case["found"]


@pytest.mark.parametrize("case", HISTORIES, ids=names(HISTORIES))
def test_a_version_may_follow_a_history_as_published(case: dict[str, Any]) -> None:
    history = [Version(number, parse(text), text) for number, text in enumerate(case["history"], 1)]
    verdict = check(Version(None, parse(case["new"]), case["new"]), history, case["level"])
    assert verdict.is_compatible == case["compatible"]


@pytest.mark.parametrize("case", VALUES, ids=names(VALUES))
def test_a_value_is_read_by_another_schema_as_published(case: dict[str, Any]) -> None:
    writer, reader = parse(case["writer"]), parse(case["reader"])
    data = compile_generic(writer)[0](from_json(writer, case["written"]))
    if case.get("refused") == "ResolutionError":
        with pytest.raises(ResolutionError):
            compile_generic(reader, writer)
        return
    _, decode = compile_generic(reader, writer)
    if "refused" in case:
        with pytest.raises(DecodeError) as caught:
            decode(data)
        assert caught.value.code == case["refused"]
    else:
        assert json.loads(to_json(decode(data), reader)) == json.loads(case["read"])


def test_types_of_one_file_may_be_defined_in_another_that_is_read_later() -> None:
    """Source: Apache Avro, ``TestSchema.testParseMultipleFile``; the type that it defines twice is defined once here."""
    document = '{"type": "record", "name": "model.Document", "fields": [{"name": "id", "type": "string"}]}'
    items = {"type": "array", "items": "model.Document"}
    event = {"type": "record", "name": "model.Event", "fields": [{"name": "documents", "type": ["null", items]}]}
    files = parse_files({"event.avsc": json.dumps(event), "document.avsc": document})
    assert files["event.avsc"].known()["model.Document"] is files["document.avsc"].root
