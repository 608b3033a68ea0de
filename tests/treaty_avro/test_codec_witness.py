"""fastavro writes the same bytes, and reads them as the same values."""

from __future__ import annotations

import io
import json

import fastavro
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.treaty_avro.generated import schemas, untagged, values
from treaty_avro import compile_generic
from treaty_avro.interpret import decoding, encoding
from treaty_avro.values.wire import LIMITS

_SETTINGS = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@_SETTINGS
@given(st.data())
def test_fastavro_reads_what_is_written_and_both_back_ends_agree(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    value = data.draw(values(schema.root))
    encode, decode = compile_generic(schema)
    written = encode(value)
    assert fastavro.schemaless_reader(io.BytesIO(written), json.loads(schema.text)) == untagged(value)
    assert decode(written) == value
    assert encoding.encode(encode.plan, value, limits=LIMITS) == written
    assert decoding.decode(decode.plan, written, limits=LIMITS) == value


@_SETTINGS
@given(st.data())
def test_the_bytes_are_those_of_fastavro(data: st.DataObject) -> None:
    """Without larger unions, among whose branches fastavro guesses."""
    schema = data.draw(schemas(has_unions=False))
    value = data.draw(values(schema.root))
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, json.loads(schema.text), value)
    assert compile_generic(schema)[0](value) == stream.getvalue()
