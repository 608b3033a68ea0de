"""Fingerprints of schemas and Confluent's GUIDs."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import fastavro.schema
import pytest

from tests.treaty_avro.java import record
from treaty_avro import confluent_guid, fingerprint, fingerprint64, parse, parsing_canonical_form


@pytest.mark.parametrize(
    ("text", "crc"),
    [('"null"', 7195948357588979594), ('"int"', 8247732601305521295), ('"boolean"', -6970731678124411036 % 2**64)],
)
def test_the_64_bit_fingerprint_is_the_specifications(text: str, crc: int) -> None:
    schema = parse(text)
    assert fingerprint64(schema) == crc
    assert fingerprint(schema, "CRC-64-AVRO") == crc.to_bytes(8, "little")


@pytest.mark.parametrize("algorithm", ["CRC-64-AVRO", "MD5", "SHA-256"])
def test_fingerprints_are_fastavros(algorithm: Any) -> None:
    schema = parse(record({"name": "x", "type": ["null", "string"]}, {"name": "y", "type": "R"}))
    theirs = fastavro.schema.fingerprint(parsing_canonical_form(schema), algorithm)
    assert fingerprint(schema, algorithm).hex() == theirs


def test_a_fingerprint_is_sha_256_unless_asked_otherwise() -> None:
    assert fingerprint(parse('"int"')) == hashlib.sha256(b'"int"').digest()


def test_the_guid_is_the_md5_of_the_parts_in_confluents_order() -> None:
    rule = {
        "name": "n", "doc": "d", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "tags": ["t2", "t1"],
        "params": {"q": "2", "p": "1"}, "expr": "e", "onSuccess": "NONE", "onFailure": "ERROR", "disabled": True,
    }  # fmt: skip
    guid = confluent_guid(
        '"int"',
        references=[{"name": "a.B", "subject": "s", "version": 258}],
        metadata={"tags": {"k": ["v2", "v1"], "j": []}, "properties": {"z": "1", "y": "2"}, "sensitive": ["y"]},
        rule_set={"migrationRules": [], "domainRules": [rule], "encodingRules": None, "enableAt": "SERVER"},
    )
    parts = (
        b'"int"' + b"a.Bs\0\0\1\2" + b"\1" + b"jkv1v2y2z1y" + b"\1" + b"ndCONDITIONWRITECELt1t2p1q2eNONEERROR\1SERVER"
    )
    assert guid == UUID(bytes=hashlib.md5(parts, usedforsecurity=False).digest())


def test_absent_parts_add_nothing_and_empty_ones_do() -> None:
    bare = confluent_guid('"int"')
    assert bare == UUID(bytes=hashlib.md5(b'"int"', usedforsecurity=False).digest())
    assert confluent_guid('"int"', metadata={}) != bare
    assert confluent_guid('"int"', rule_set={}) == confluent_guid('"int"', metadata={})
