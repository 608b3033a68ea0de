"""Confluent's GUID of a registered schema.

Laws: it is an MD5, read as a UUID without version bits; parts that are absent add nothing, which is why an empty
metadata object differs from none. It labels; it is no proof that two schemas are the same.
Source: Confluent Schema Registry 8, ``MD5.ofSchema`` and ``updateHash`` of its entities.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from treaty_avro.schema.model import Json
from treaty_avro.text.javajson import ordered


def confluent_guid(
    text: str,
    *,
    references: Sequence[Mapping[str, Json]] = (),
    metadata: Mapping[str, Json] | None = None,
    rule_set: Mapping[str, Json] | None = None,
) -> UUID:
    """The GUID of a stored text with its references, metadata and rule set, as JSON in Confluent's REST shapes."""
    digest = hashlib.md5(usedforsecurity=False)
    for part in _parts(text, references, metadata, rule_set):
        digest.update(part.encode("utf-8", "replace") if isinstance(part, str) else part)
    return UUID(bytes=digest.digest())


def _parts(
    text: str,
    references: Sequence[Mapping[str, Json]],
    metadata: Mapping[str, Json] | None,
    rule_set: Mapping[str, Json] | None,
) -> Iterator[str | bytes]:
    yield text
    for reference in references:
        yield from _strings(reference, "name", "subject")
        if reference.get("version") is not None:
            yield int(reference["version"]).to_bytes(4, "big", signed=True)
    if metadata is not None:
        yield b"\x01"
        yield from _metadata(metadata)
    if rule_set is not None:
        yield b"\x01"
        for kind in ("migrationRules", "domainRules", "encodingRules"):
            for rule in rule_set.get(kind) or ():
                yield from _rule(rule)
        yield from _strings(rule_set, "enableAt")


def _metadata(metadata: Mapping[str, Json]) -> Iterator[str]:
    tags: Mapping[str, Sequence[str]] = metadata.get("tags") or {}
    for key in ordered(tags):
        yield key
        yield from ordered(set(tags[key]))
    yield from _pairs(metadata.get("properties"))
    yield from ordered(set(metadata.get("sensitive") or ()))


def _rule(rule: Mapping[str, Json]) -> Iterator[str | bytes]:
    yield from _strings(rule, "name", "doc", "kind", "mode", "type")
    yield from ordered(set(rule.get("tags") or ()))
    yield from _pairs(rule.get("params"))
    yield from _strings(rule, "expr", "onSuccess", "onFailure")
    if rule.get("disabled"):
        yield b"\x01"


def _pairs(pairs: Mapping[str, str] | None) -> Iterator[str]:
    for key in ordered(pairs or ()):
        yield key
        yield (pairs or {})[key]


def _strings(part: Mapping[str, Json], *keys: str) -> Iterator[str]:
    yield from (str(part[key]) for key in keys if part.get(key) is not None)
