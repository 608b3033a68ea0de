"""Events as JSON and back; the schema decides, and everything passes through the codec's own checks."""

from __future__ import annotations

import functools
import json
import weakref
from typing import Any, Final, NoReturn, TypeVar, overload

from treaty_avro.avrojson.reader import JsonReader, Unfit
from treaty_avro.avrojson.style import Style
from treaty_avro.avrojson.writer import JsonWriter
from treaty_avro.codec import Decoder, Encoder, compile_decoder, compile_encoder, compile_generic
from treaty_avro.errors import DecodeError
from treaty_avro.plan.binding import schema_of
from treaty_avro.schema.model import Json
from treaty_avro.schema.schema import Schema

T = TypeVar("T")

_Codec = tuple[Encoder[Any], Decoder[Any]]
_codecs: Final[weakref.WeakKeyDictionary[type, _Codec]] = weakref.WeakKeyDictionary()


def to_json(value: object, schema: Schema | None = None, *, style: Style = "avro") -> str:
    """The JSON text of an event, or, with ``schema``, of a value without classes (dicts, symbols, ``Tagged``).

    Raises ``EncodeError`` for a value that does not fit, ``ClassMismatch`` for one whose class has no schema.
    """
    encoder, _ = _typed(type(value)) if schema is None else _generic(schema)
    root = (schema_of(type(value)) if schema is None else schema).root
    told = JsonWriter(encoder(value), style=style).json(root)
    return json.dumps(told, ensure_ascii=False, allow_nan=False)


@overload
def from_json(event: type[T], text: str | bytes, *, style: Style = "avro") -> T: ...
@overload
def from_json(event: Schema, text: str | bytes, *, style: Style = "avro") -> object: ...
def from_json(event: type[T] | Schema, text: str | bytes, *, style: Style = "avro") -> object:
    """The event (or, for a schema, the value without classes) of a JSON text.

    Raises ``DecodeError`` with code ``input`` and the path, for everything from broken JSON to a decimal too long.
    """
    schema = event if isinstance(event, Schema) else schema_of(event)
    _, decoder = _generic(event) if isinstance(event, Schema) else _typed(event)
    reader = JsonReader(style=style)
    try:
        reader.write(schema.root, _parsed(text))
        return decoder(b"".join(reader.out))
    except Unfit as unfit:
        error = DecodeError(str(unfit), code="input", path=str(reader.path))
    except DecodeError as found:
        error = DecodeError(found.reason, code="input", path=found.path)
    except RecursionError:
        error = DecodeError("the JSON is nested too deep", code="input")
    raise error


def _parsed(text: str | bytes) -> Json:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except Unfit:
        raise
    except ValueError as error:
        raise Unfit(f"is not JSON: {str(error)[:80]}") from None


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unfit("a key stands twice in one object")
    return found


def _refuse(name: str) -> NoReturn:
    raise Unfit(f"{name} is not JSON; write it as a text")


def _typed(event: type) -> _Codec:
    known = _codecs.get(event)
    if known is None:
        known = _codecs[event] = (compile_encoder(event), compile_decoder(event))
    return known


@functools.lru_cache(maxsize=64)
def _generic(schema: Schema) -> _Codec:
    return compile_generic(schema)
