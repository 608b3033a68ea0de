"""What the docstring of a field says besides its doc."""

from __future__ import annotations

import json

import pytest

from tests.treaty_codegen.features import record
from treaty_avro import Record, parse
from treaty_codegen.classes import field_doc


@pytest.mark.parametrize(
    ("treaty", "says"),
    [
        ({}, "The amount."),
        ({"pii": "card"}, "The amount. Personal data: card."),
        ({"pii": ""}, "The amount."),
        (
            {"deprecated": {"since": "1.2.0", "use": "total_v2", "remove_after": "2027-01-01"}},
            "The amount. Deprecated: since 1.2.0, use total_v2, goes after 2027-01-01.",
        ),
        ({"deprecated": {"use": "total_v2"}}, "The amount. Deprecated: use total_v2."),
        ({"deprecated": {}}, "The amount. Deprecated."),
        ({"deprecated": {"since": {"a": 1}, "use": None}}, "The amount. Deprecated."),
        ({"deprecated": "yes"}, "The amount."),
        ("deprecated", "The amount."),
    ],
)
def test_a_docstring_names_personal_data_and_what_to_use_instead(treaty: object, says: str) -> None:
    schema = parse(json.dumps(record({"name": "total", "type": "int", "doc": "The amount.", "treaty": treaty})))
    assert isinstance(schema.root, Record)
    assert field_doc(schema.root.fields[0]) == says
