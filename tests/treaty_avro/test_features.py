"""Every feature a schema may have, without classes: the bytes are fastavro's, in both directions."""

from __future__ import annotations

import io
import json

import fastavro
import pytest

from tests.treaty_codegen.features import FEATURES, Feature
from tests.treaty_codegen.hard import HARD
from treaty_avro import compile_generic, inlined_text, parse_files


def test_the_features_are_complete() -> None:
    assert len(FEATURES) == 56
    assert len(HARD) >= 5


@pytest.mark.parametrize("feature", [*FEATURES, *HARD], ids=lambda feature: feature.name)
def test_a_feature_has_fastavros_bytes_without_classes(feature: Feature) -> None:
    schema = next(each for each in parse_files(feature.files).values() if each.name == feature.event)
    encode, decode = compile_generic(schema)
    theirs = fastavro.parse_schema(json.loads(inlined_text(schema)))
    for value in feature.values:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, theirs, value)
        assert encode(decode(out.getvalue())) == out.getvalue()
