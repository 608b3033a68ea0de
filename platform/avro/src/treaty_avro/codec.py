"""Compiled codecs: from a class, and the writer's schema, to a function.

Compiled functions are pure and re-entrant. Compiling takes milliseconds: callers keep what they compiled.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias, TypeVar, cast

from treaty_avro.plan.binding import Binding, Plain, Typed, schema_of
from treaty_avro.plan.nodes import Plan
from treaty_avro.plan.planner import decoder_plan, encoder_plan
from treaty_avro.plan.resolve import resolve
from treaty_avro.schema.schema import Schema
from treaty_avro.straightline import compiled
from treaty_avro.values.wire import LIMITS, Limits

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)

Backend: TypeAlias = Literal["auto", "python", "native"]
"""What carries a plan out; ``auto`` takes the fastest that is installed."""


class Encoder(Protocol[T_contra]):
    """From value to bytes; raises ``EncodeError``. ``source``: what was compiled, to read."""

    @property
    def plan(self) -> Plan:
        """What is carried out."""
        ...

    @property
    def source(self) -> str:
        """The text that was compiled."""
        ...

    def __call__(self, value: T_contra, /) -> bytes:
        """The prefix and the bytes of a value."""
        ...


class Decoder(Protocol[T_co]):
    """From bytes to value; raises ``DecodeError``. ``start=5`` skips a frame's head."""

    @property
    def plan(self) -> Plan:
        """What is carried out."""
        ...

    @property
    def source(self) -> str:
        """The text that was compiled."""
        ...

    def __call__(self, data: bytes | bytearray | memoryview, start: int = 0) -> T_co:
        """The value that begins at ``start`` and ends with the data."""
        ...


class BackendMissing(ImportError):
    """The native back end is not installed; ask for "auto" or "python"."""


def compile_encoder(
    event: type[T], *, prefix: bytes = b"", limits: Limits = LIMITS, backend: Backend = "auto"
) -> Encoder[T]:
    """A function from an event to its bytes, with ``prefix`` (magic byte, schema id) before them.

    Raises ``ClassMismatch`` if the class does not fit its schema, ``SchemaError`` if it offers none that can be read.
    """
    return cast("Encoder[T]", _encoder(schema_of(event), Typed(event), prefix, limits, backend))


def compile_decoder(
    event: type[T], writer: Schema | None = None, *, limits: Limits = LIMITS, backend: Backend = "auto"
) -> Decoder[T]:
    """A function from bytes that were written with ``writer`` (None: the class's own schema) to an event.

    Raises ``ResolutionError`` if no datum of the writer can be read, and what ``compile_encoder`` raises.
    """
    return cast("Decoder[T]", _decoder(schema_of(event), writer, Typed(event), limits, backend))


def compile_generic(
    schema: Schema, writer: Schema | None = None, *, limits: Limits = LIMITS, backend: Backend = "auto"
) -> tuple[Encoder[object], Decoder[object]]:
    """Both functions without classes: records are dicts, enums their symbols, larger unions ``Tagged``.

    The encoder writes ``schema``; the decoder reads what ``writer`` (None: ``schema``) wrote, as ``schema``.
    """
    binding = Plain()
    encoder = _encoder(schema, binding, b"", limits, backend)
    return encoder, cast("Decoder[object]", _decoder(schema, writer, binding, limits, backend))


def _encoder(schema: Schema, binding: Binding, prefix: bytes, limits: Limits, backend: Backend) -> Encoder[Any]:
    _check(backend)
    plan = encoder_plan(resolve(schema, schema), binding)
    return cast("Encoder[Any]", compiled.encoder(plan, prefix=bytes(prefix), limits=limits))


def _decoder(schema: Schema, writer: Schema | None, binding: Binding, limits: Limits, backend: Backend) -> Decoder[Any]:
    _check(backend)
    plan = decoder_plan(resolve(writer or schema, schema), binding)
    return cast("Decoder[Any]", compiled.decoder(plan, limits=limits))


def _check(backend: Backend) -> None:
    if backend == "native":
        raise BackendMissing("the native back end is not installed; ask for 'auto' or 'python'")
