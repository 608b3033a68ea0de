"""Fingerprints of schemas: short names for what readers must know.

Source: Apache Avro 1.12 specification, "Schema Fingerprints".
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal, TypeAlias

from treaty_avro.schema.schema import Schema
from treaty_avro.text.canonical import parsing_canonical_form

Algorithm: TypeAlias = Literal["CRC-64-AVRO", "MD5", "SHA-256"]

_EMPTY: Final = 0xC15D213AA4D7A795


def fingerprint(schema: Schema, algorithm: Algorithm = "SHA-256") -> bytes:
    """The fingerprint of the Parsing Canonical Form; 8 (CRC-64-AVRO, little-endian), 16 or 32 bytes."""
    form = parsing_canonical_form(schema).encode()
    if algorithm == "CRC-64-AVRO":
        return _crc64(form).to_bytes(8, "little")
    return hashlib.new(algorithm.replace("-", ""), form, usedforsecurity=False).digest()


def fingerprint64(schema: Schema) -> int:
    """CRC-64-AVRO of the Parsing Canonical Form, as an unsigned 64-bit integer."""
    return _crc64(parsing_canonical_form(schema).encode())


def _row(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ (_EMPTY if index & 1 else 0)
    return index


_TABLE: Final = tuple(map(_row, range(256)))


def _crc64(data: bytes) -> int:
    result = _EMPTY
    for byte in data:
        result = (result >> 8) ^ _TABLE[(result ^ byte) & 0xFF]
    return result
