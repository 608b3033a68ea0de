"""Between events and framed bytes: magic byte 0, schema id (int32, big-endian), Avro body.

Lookups never register. An encoder stands ready for each class; while the registry has not answered for it, the id bytes are 0 and
the relay fills them in later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from treaty_avro import Decoder, Encoder, Limits, Schema, compile_decoder, compile_encoder
from treaty_runtime.errors import NotFramed, Oversize, UnknownTopic
from treaty_runtime.event import Event

UNKNOWN_ID = 0
"""Schema id of a frame whose id is not known yet; registries count from 1."""

FRAME_BYTES = 5


class Schemas(Protocol):
    """What encoding and decoding ask of a registry; ``RegistryClient`` and ``MemoryRegistry`` answer it.

    Every method keeps what it learned, joins equal questions in flight, and raises ``RegistryUnavailable`` when nobody answers.
    """

    async def id_of(self, event: type[Event]) -> int:
        """Schema id of the class's text under its subject; ``SchemaNotRegistered`` if it has none."""

    async def writer(self, schema_id: int) -> Schema:
        """The writer's schema, references resolved; ``UnknownSchemaId`` if the registry knows no such id."""

    async def subjects(self, schema_id: int) -> frozenset[str]:
        """Subjects that ever had this id, deleted ones too."""

    async def subjects_anew(self, schema_id: int, *, topic: str) -> frozenset[str]:
        """The same, asked again a moment later: the id may just have come to a subject of the topic."""


def frame(schema_id: int) -> bytes:
    """The five bytes before every Avro body."""
    return b"\x00" + schema_id.to_bytes(4, "big")


def schema_id_of(value: bytes) -> int:
    """The id in a framed value; ``NotFramed`` if it does not begin with the magic byte and four more."""
    if len(value) < FRAME_BYTES or value[0] != 0:
        raise NotFramed(f"The value begins with {value[:5].hex() or 'nothing'}, not with 00 and a schema id.")
    return int.from_bytes(value[1:FRAME_BYTES], "big", signed=True)


def with_schema_id(value: bytes, schema_id: int) -> bytes:
    """The same framed value with another id."""
    return frame(schema_id) + value[FRAME_BYTES:]


@dataclass(slots=True)  # not frozen: one is made per event
class Encoded:
    """A framed value and the id in it, ``UNKNOWN_ID`` while the registry has not answered."""

    value: bytes
    schema_id: int


class Serde:
    """Encodes events of generated classes and hands out decoders, compiled once per class and schema id."""

    DECODERS_PER_CLASS = 256

    def __init__(self, schemas: Schemas, *, limits: Limits | None = None, max_record_bytes: int = 1 << 20) -> None:
        self.schemas = schemas
        self.max_record_bytes = max_record_bytes
        self._limits = limits if limits is not None else Limits()
        self._ids: dict[type[Event], int] = {}
        self._encoders: dict[type[Event], Encoder[Any]] = {}
        self._decoders: dict[type[Any], dict[int, Decoder[Any]]] = {}

    def encode(self, event: Event) -> Encoded:
        """Frames an event without I/O; the id is ``UNKNOWN_ID`` until ``schema_id`` has answered for the class.

        Raises ``EncodeError`` naming the field, ``Oversize``, ``UnknownTopic`` for a class that travels nowhere.
        """
        cls = type(event)
        encoder = self._encoders.get(cls) or self._compile(cls)
        value = encoder(event)
        if len(value) > self.max_record_bytes:
            raise Oversize(f"{cls.__avro_fullname__} takes {len(value)} bytes, the limit is {self.max_record_bytes}.")
        return Encoded(value, self._ids.get(cls, UNKNOWN_ID))

    def knows(self, event: type[Event]) -> bool:
        """Whether the registry has answered for the class."""
        return event in self._ids

    async def schema_id(self, event: type[Event]) -> int:
        """The registered id of the class's schema; asks the registry the first time, keeps the answer for ever."""
        known = self._ids.get(event)
        if known is not None:
            return known
        schema_id = await self.schemas.id_of(event)
        self.learn(event, schema_id)
        return schema_id

    def learn(self, event: type[Event], schema_id: int) -> None:
        """Takes an id as known, without asking."""
        self._ids[event] = schema_id
        self._encoders.pop(event, None)  # its prefix holds the unknown id

    async def warm(self, events: Iterable[type[Event]]) -> None:
        """Looks all classes up at once, at start, so that no request waits for the registry."""
        await asyncio.gather(*(self.schema_id(event) for event in events))

    async def decoder(self, event: type[Any], schema_id: int) -> Decoder[Any]:
        """Decoder of the class for values written with ``schema_id``; call it with ``start=5``.

        Raises ``ResolutionError`` if the class cannot read that schema, and what ``Schemas.writer`` raises.
        """
        known = self._decoders.setdefault(event, {})
        decoder = known.get(schema_id)
        if decoder is None:
            writer = await self.schemas.writer(schema_id)
            decoder = compile_decoder(event, writer, limits=self._limits)
            while len(known) >= self.DECODERS_PER_CLASS:
                known.pop(next(iter(known)))
            known[schema_id] = decoder
        return decoder

    def _compile(self, cls: type[Event]) -> Encoder[Any]:
        if not cls.__topic__:
            raise UnknownTopic(
                f"{cls.__avro_fullname__} belongs to no topic: list it in topics.toml, run `treaty generate`."
            )
        encoder = compile_encoder(cls, prefix=frame(self._ids.get(cls, UNKNOWN_ID)), limits=self._limits)
        self._encoders[cls] = encoder
        return encoder
