"""The Python back end: a plan becomes source, the source two functions.

Laws: the source holds our names, integer literals and checked attribute names, nothing else; when anything raises, the slow
walk over the same plan says what and where, and if it finds nothing the fault is ours and is called ``internal``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treaty_avro.errors import DecodeError, EncodeError
from treaty_avro.interpret import decoding, encoding
from treaty_avro.plan.nodes import Plan
from treaty_avro.straightline.emit_decode import decoder_source
from treaty_avro.straightline.emit_encode import encoder_source
from treaty_avro.straightline.source import Source
from treaty_avro.values.wire import Limits


def encoder(plan: Plan, *, prefix: bytes, limits: Limits) -> Callable[[Any], bytes]:
    """A function from value to bytes, with ``plan`` and ``source`` as attributes."""

    def explain(value: object, error: Exception) -> Exception:
        try:
            encoding.encode(plan, value, limits=limits)
        except EncodeError as found:
            return found
        return EncodeError(f"internal: {type(error).__name__} in the fast encoder; report this value and its schema")

    return _function("encode", encoder_source(plan, prefix=prefix, limits=limits, explain=explain), plan)


def decoder(plan: Plan, *, limits: Limits) -> Callable[..., Any]:
    """A function from bytes (and a start) to a value, with ``plan`` and ``source`` as attributes."""

    def explain(data: object, start: int, error: Exception) -> Exception:
        try:
            decoding.decode(plan, data, start=start, limits=limits)
        except DecodeError as found:
            return found
        reason = f"{type(error).__name__} in the fast decoder; report these bytes and the schema"
        return DecodeError(reason, code="internal")

    return _function("decode", decoder_source(plan, limits=limits, explain=explain), plan)


def _function(name: str, source: Source, plan: Plan) -> Callable[..., Any]:
    text = source.text()
    exec(compile(text, f"<treaty_avro {name}>", "exec"), source.names)  # noqa: S102  # see the first law
    function: Any = source.names[name]
    function.plan, function.source = plan, text
    return function  # type: ignore[no-any-return]  # a function made by exec
