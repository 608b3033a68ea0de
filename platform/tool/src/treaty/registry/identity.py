"""When two schemas are the same schema: hashes of what was stored, and of what it means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from treaty.registry.rows import Content, Json

VERSION_PROPERTY = "confluent:version"


def content_sha256(content: Content) -> bytes:
    """SHA-256 over length-prefixed type, text, references, metadata and rule set; absent is not empty.

    Not the guid: MD5 collisions can be made by hand, so the guid only labels.
    """
    references = [[ref.name, ref.subject, ref.version] for ref in content.references]
    return _digest("AVRO", content.text, _json(references), _json(content.metadata), _json(content.rule_set))


def resolved_sha256(inlined: str, content: Content) -> bytes:
    """SHA-256 over the text with references inlined, metadata but for ``confluent:version``, and rule set.

    Finds a schema that is sent inlined, or without that property, in one probe of an index.
    """
    return _digest(inlined, _json(without_version(content.metadata)), _json(content.rule_set))


def without_version(metadata: Mapping[str, Json] | None) -> Mapping[str, Json] | None:
    """Metadata without the property that carries the version number; None if nothing else is in it."""
    if metadata is None or not says_version(metadata):
        return metadata
    properties = {key: value for key, value in metadata["properties"].items() if key != VERSION_PROPERTY}
    rest = {key: value for key, value in metadata.items() if key != "properties"}
    return {**rest, **({"properties": properties} if properties else {})} or None


def with_version(metadata: Mapping[str, Json] | None, number: int) -> Mapping[str, Json]:
    """Metadata with the property that carries the version number."""
    held = metadata or {}
    return {**held, "properties": {**(held.get("properties") or {}), VERSION_PROPERTY: str(number)}}


def says_version(metadata: Mapping[str, Json] | None) -> bool:
    """True if the metadata carries a version number."""
    return VERSION_PROPERTY in ((metadata or {}).get("properties") or {})


def _json(value: Json) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _digest(*parts: str | None) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        if part is None:
            digest.update(b"-")
        else:
            data = part.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(data) + data)
    return digest.digest()
