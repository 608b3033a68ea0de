"""The published text: one text for the SDK, the registry and the releases."""

from __future__ import annotations

import json

from treaty_avro import canonical_text, parse
from treaty_codegen import load_catalog, publish
from treaty_codegen.publish import References

FILES = {
    "line.avsc": json.dumps(
        {
            "type": "record",
            "name": "Line",
            "namespace": "mall",
            "fields": [{"name": "n", "type": "int", "doc": "count"}],
        }
    ),
    "order.avsc": json.dumps(
        {
            "type": "record",
            "name": "Order",
            "namespace": "mall",
            "fields": [
                {"name": "first", "type": "mall.Line", "treaty": {"unit": "pieces"}},
                {"name": "more", "type": {"type": "array", "items": "mall.Line"}},
            ],
        }
    ),
}


def published(name: str, references: References = "inline") -> str:
    return publish(load_catalog(FILES, topics=None).by_name[name], references=references)


def test_a_shared_type_is_inlined_at_its_first_use_and_named_afterwards() -> None:
    text = published("mall.Order")
    first, more = json.loads(text)["fields"]
    assert first["type"]["name"] == "Line"
    assert more["type"] == {"type": "array", "items": "Line"}
    assert canonical_text(parse(text)) == text


def test_nothing_is_stripped() -> None:
    text = published("mall.Order")
    assert '"doc":"count"' in text
    assert '"treaty":{"unit":"pieces"}' in text


def test_with_nothing_to_inline_it_is_the_canonical_text_of_the_file() -> None:
    file = load_catalog(FILES, topics=None).files["line.avsc"]
    assert published("mall.Line") == canonical_text(file.schema)


def test_with_references_shared_types_stay_names() -> None:
    text = published("mall.Order", references="registry")
    assert json.loads(text)["fields"][0]["type"] == "Line"
