"""What must hold for any bytes and any text; the fuzzers look for what breaks it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from tests.treaty_avro.orders import SCHEMA, OrderCreated, Voucher, order
from treaty_avro import (
    AvroError,
    DecodeError,
    EncodeError,
    Rules,
    Schema,
    SchemaError,
    canonical_text,
    compile_decoder,
    compile_encoder,
    compile_generic,
    fingerprint,
    incompatibilities,
    normalized_text,
    parse,
)
from treaty_avro.interpret import decoding
from treaty_avro.values.wire import LIMITS

_VIEW = {"type": "record", "name": "OrderCreated", "fields": [{"name": "number", "type": "double"}]}
_UNIONS = {
    "type": "array",
    "items": [
        "null",
        "boolean",
        "int",
        "double",
        "bytes",
        {"type": "map", "values": "string"},
        {"type": "array", "items": "null"},
    ],
}
_TREE = {
    "type": "record",
    "name": "Tree",
    "fields": [{"name": "children", "type": {"type": "map", "values": ["null", "Tree"]}}, {"name": "n", "type": "long"}],
}  # fmt: skip
_WIDER_TREE = json.loads(json.dumps(_TREE).replace('"long"', '"float"'))


def _generic(schema: object) -> tuple[Any, Any]:
    encode, decode = compile_generic(parse(json.dumps(schema)))
    return decode, encode


_schema, _tree = parse(json.dumps(SCHEMA)), parse(json.dumps(_TREE))
DECODERS: Final[Sequence[tuple[Any, Any]]] = (
    (compile_decoder(OrderCreated), compile_encoder(OrderCreated)),
    (compile_generic(parse(json.dumps(_VIEW)), _schema)[1], None),
    _generic(_UNIONS),
    _generic(_TREE),
    (compile_generic(parse(json.dumps(_WIDER_TREE)), _tree)[1], None),
)  # fmt: skip
"""A decoder, and the encoder of the same schema where there is one; the first byte of the fuzzer's data chooses."""


def samples() -> list[bytes]:
    """Valid data to begin with, behind the byte that chooses its decoder."""
    deep = order(parent=order(payment=Voucher(last_four="99"), note=None, tags={}), payment=7)
    full = compile_encoder(OrderCreated)
    unions, trees = DECODERS[2][1], DECODERS[3][1]
    tree: Any = {"children": {"a": None, "b": {"children": {}, "n": 2**40}}, "n": -1}
    return [
        b"\x00" + full(order()),
        b"\x00" + full(deep),
        b"\x01" + full(deep),
        b"\x02" + unions([None] * 3),
        b"\x02\x0a\x0c\x10\x00\x0a\x02\x02a\x02b\x00\x08\x04ab\x06\x00\x00\x00\x00\x00\x00\xf0\x3f\x00",
        b"\x03" + trees(tree),
        b"\x04" + trees(tree),
    ]


def outcome(decode: Any, data: bytes) -> Any:
    """The value, or a refusal's code, offset and path; any other exception is a find."""
    try:
        return decode(data)
    except DecodeError as error:
        if error.code == "internal":
            raise AssertionError("a class's constructor failed, or the engine did") from error
        return error.code, error.offset, error.path


def decoding_holds(data: bytes) -> None:
    """Both back ends agree on a value or a refusal, and a value that is written again is read as the same one."""
    if not data:
        return
    decode, encode = DECODERS[data[0] % len(DECODERS)]
    found = outcome(decode, data[1:])
    slow = outcome(lambda body: decoding.decode(decode.plan, body, limits=LIMITS), data[1:])
    assert repr(found) == repr(slow), (found, slow)
    if encode is not None and not (isinstance(found, tuple) and len(found) == 3):
        assert repr(decode(encode(found))) == repr(found)


def parsing_holds(text: str) -> None:
    """A text is refused with a ``SchemaError``, or its canonical text is a fixed point and it reads its own data."""
    kinds: tuple[Rules, ...] = ("new", "stored")
    for rules in kinds:
        try:
            schema = parse(text, rules=rules)
        except SchemaError:
            continue
        _accepted(schema)


def _accepted(schema: Schema) -> None:
    canonical = canonical_text(schema)
    # References of a type before its definition are written in another order: once more, and it must stand.
    again = canonical_text(parse(canonical, rules="stored"))
    assert canonical_text(parse(again, rules="stored")) == again
    assert len(fingerprint(schema)) == 32
    try:
        normalized_text(schema)
        assert incompatibilities(schema, schema) == []
        encode, decode = compile_generic(schema)
    except AvroError:
        return  # ambiguous by its own aliases, or beyond a limit: told, not crashed
    for data in (b"", b"\x00", b"\x00" * 8, b"\x02" * 40):
        found = outcome(decode, data)
        if not (isinstance(found, tuple) and len(found) == 3 and isinstance(found[1], int)):
            try:
                encode(found)
            except EncodeError as error:
                raise AssertionError(f"{found!r} is read but not written") from error
