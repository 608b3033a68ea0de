"""When two schemas are the same schema: hashes of what was stored, and of what it means."""

from __future__ import annotations

import hashlib
import json
import re
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
    """Metadata without the property that carries the version number and without empty members; None if nothing is left."""
    held = metadata or {}
    properties = {key: value for key, value in (held.get("properties") or {}).items() if key != VERSION_PROPERTY}
    return {key: value for key, value in {**held, "properties": properties}.items() if value} or None


def with_version(metadata: Mapping[str, Json] | None, number: int) -> Mapping[str, Json]:
    """Metadata with the property that carries the version number."""
    held = metadata or {}
    return {**held, "properties": {**(held.get("properties") or {}), VERSION_PROPERTY: str(number)}}


def may_mean(sent: Mapping[str, Json] | None, *, number: int, stored: Mapping[str, Json] | None) -> bool:
    """True if metadata as sent can mean the version ``number``, whose metadata is ``stored``, as to version properties.

    Sent without one: yes. Sent with one: it is the stored one, or the number where none is stored.
    Source: confluentinc/schema-registry, ``AbstractSchemaProvider.canLookupIgnoringVersion``.
    """
    asked, held = _version_said(sent), _version_said(stored)
    return asked is None or asked == (number if held is None else held)


def says_version(metadata: Mapping[str, Json] | None) -> bool:
    """True if the metadata carries a version number."""
    return VERSION_PROPERTY in ((metadata or {}).get("properties") or {})


def _version_said(metadata: Mapping[str, Json] | None) -> int | None:
    text = ((metadata or {}).get("properties") or {}).get(VERSION_PROPERTY, "")
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,10}", text) else None


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
