"""Examples as people write them: held against their schema, and shown in place of made-up ones."""

from __future__ import annotations

import json

import pytest

from tests.treaty_codegen.schema_texts import event, f, mapping, record, topics
from treaty_codegen import emit_asyncapi, emit_markdown, load_catalog
from treaty_codegen.lint import Choice, facts_of, lint

LINE = record("Line", f("price", {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}))
FILES = event([f("id", "long"), f("by_name", mapping(LINE))])
PLACE = "order/orderpaid.examples.json"


def found(text: str) -> list[tuple[int, int, str, str]]:
    catalog = load_catalog(FILES, topics=topics(), examples={PLACE: text})
    rows = lint(facts_of(catalog), Choice(use=["example-invalid"]))
    return [(row.at.line, row.at.column, row.at.pointer, str(row.message)) for row in rows]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('[{"id": 1, "by_name": {}}]', None, ""),
        ('[{"id": 1, "by_name": {"a/b": {"price": "1.25"}}}]', None, ""),
        ('[{"id": 1, "by_name": {"a": {"price": "1.255"}}}]', (1, 39, "/0/by_name/a/price"), "has 3 decimals"),
        ('[{"id": 1, "by_name": {}},\n {"id": "x", "by_name": {}}]', (2, 9, "/1/id"), "expected"),
        ('[{"id": 1}]', (1, 2, "/0"), "is missing"),
        ('[{"id": 1, "by_name": {}, "more": 1}]', (1, 2, "/0"), "has no field 'more'"),
        ('{"id": 1, "by_name": {}}', (1, 1, ""), "no JSON array"),
        ("[]", (1, 1, ""), "no JSON array"),
        ("[NaN]", (1, 2, ""), "NaN is not JSON"),
        ("[" * 500, (1, 401, ""), "nested"),
        ("", (1, 1, ""), "empty"),
    ],
)
def test_an_example_that_is_none_is_told_at_its_place(
    text: str, place: tuple[int, int, str] | None, words: str
) -> None:
    rows = found(text)
    assert [row[:3] for row in rows] == ([] if place is None else [place])
    assert all(words in row[3] for row in rows)


def test_every_wrong_example_of_a_file_has_a_finding_of_its_own() -> None:
    rows = lint(
        facts_of(load_catalog(FILES, topics=topics(), examples={PLACE: '[{"id": 1}, {"id": 2}]'})),
        Choice(use=["example-invalid"]),
    )
    assert len({row.fingerprint for row in rows}) == len(rows) == 2


def test_a_written_example_is_shown_in_documents_and_a_wrong_one_is_not() -> None:
    good = '[{"id": 777001, "by_name": {"<b>": {"price": "1.25"}}}]'
    for text, is_shown in ((good, True), ('[{"id": 777001}]', False)):
        catalog = load_catalog(FILES, topics=topics(), examples={PLACE: text})
        pages = b"".join(emit_markdown(catalog).values()).decode()
        document = json.dumps(json.loads(emit_asyncapi(catalog)))
        assert ("777001" in pages, "777001" in document) == (is_shown, is_shown)
