"""What is written down of every change and every refusal: who, from where, what, when, and how it ended. Never a secret."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from treaty.registry.access.grants import Principal
from treaty.registry.names import Name
from treaty.registry.rows import Json

Outcome = Literal["done", "refused"]

_LONGEST: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row. ``at``: milliseconds since 1970. Hashes are SHA-256 of content, config or mode before and after."""

    at: int
    actor: str
    source_ip: str
    request_id: str
    action: str
    context: str = ""
    subject: str = ""
    version: int | None = None
    schema_id: int | None = None
    before_sha256: bytes | None = None
    after_sha256: bytes | None = None
    outcome: Outcome = "done"
    reason: str = ""

    def as_json(self) -> dict[str, Json]:
        """The entry for people: times as ISO 8601, hashes as hex, what says nothing left out."""
        raw = {name: getattr(self, name) for name in self.__slots__}
        raw["at"] = datetime.fromtimestamp(self.at / 1000, UTC).isoformat(timespec="milliseconds")
        shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in raw.items()}
        return {name: value for name, value in shown.items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody's one request: who they are, where they come from, and the request's id."""

    principal: Principal
    source_ip: str = ""
    request_id: str = ""


class Pen:
    """Writes entries in one visitor's name. ``now_ms``: milliseconds since 1970."""

    def __init__(self, visitor: Visitor, *, now_ms: Callable[[], int]) -> None:
        self._visitor, self._now_ms = visitor, now_ms

    def change(
        self,
        action: str,
        name: Name,
        *,
        version: int | None = None,
        schema_id: int | None = None,
        before: bytes | None = None,
        after: bytes | None = None,
    ) -> Entry:
        """The entry of a change."""
        return Entry(
            at=self._now_ms(),
            actor=clean(self._visitor.principal.name),
            source_ip=self._visitor.source_ip,
            request_id=self._visitor.request_id,
            action=action,
            context=name.context,
            subject=name.subject,
            version=version,
            schema_id=schema_id,
            before_sha256=before,
            after_sha256=after,
        )


def digest(value: Mapping[str, Json] | str | None) -> bytes | None:
    """The SHA-256 of a config or a mode; None of nothing."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def clean(text: str) -> str:
    """A text from outside as it may stand in a row or a line: printable, not endless."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_LONGEST])
