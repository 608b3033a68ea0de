"""What a service's current handler would do with a dead letter: asked of the service itself, which rolls everything back."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from treaty.errors import EnvironmentFault, UsageError
from treaty.ops.dead_letters.index import DeadLetters
from treaty.ops.dead_letters.letter import BytesGone
from treaty.ops.http import ask_service
from treaty_runtime.event import Place

PATH = "/treaty/dry-run"
GOOD = frozenset({"handled", "duplicate", "skipped"})
"""Outcomes after which a replay would end well."""
_WHY = {
    401: (
        "does not know who asks",
        "name the file that holds an admin's token: --token-file, or TREATY_SERVICE_TOKEN_FILE",
    ),
    403: ("lets only admins ask", "give a token of an admin"),
    404: ("has no such route or group", "is it the service whose group gave the record up, and of this release?"),
    413: ("does not take a body of that size", "its limit of a request is below the record's size"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """A service's answer; ``staged`` and ``outside`` as it tells them."""

    outcome: str
    error: str | None
    rows: dict[str, int]
    staged: list[dict[str, str]]
    outside: list[dict[str, str]]

    @property
    def is_good(self) -> bool:
        """Whether a replay would end well today."""
        return self.outcome in GOOD


def dry_run(dead_letters: DeadLetters, place: Place, *, service: str, token: str | None) -> DryRun:
    """Asks the service at a base address about the letter at a place.

    Raises ``UsageError`` for a place without a letter and a letter without a group or whose bytes are gone, ``EnvironmentFault`` for a
    service that is away or refuses.
    """
    letter = dead_letters.one(place)
    if not letter.group:
        raise UsageError(f"{place} does not say which group gave it up: treaty did not write it.")
    record = letter.record
    try:
        value = (letter.body() or record).value
    except BytesGone as gone:
        raise UsageError(f"{place} cannot be tried: {gone}.", next_step=f"treaty dlq show {place}") from gone
    asked = {
        "group": letter.group,
        "key": _text(record.key),
        "value": _text(value),
        "headers": [[name, _text(told)] for name, told in record.headers],
    }
    status, told = ask_service(service.rstrip("/") + PATH, asked, token=token)
    if status != 200:
        what, next_step = _WHY.get(status, (f"answered {status}", None))
        raise EnvironmentFault(f"{service} {what}.", next_step=next_step)
    return _answer(told)


def _answer(told: dict[str, Any]) -> DryRun:
    return DryRun(
        outcome=str(told.get("outcome", "unknown")),
        error=None if told.get("error") is None else str(told["error"]),
        rows={str(name): int(count) for name, count in dict(told.get("rows") or {}).items()},
        staged=list(told.get("staged") or ()),
        outside=list(told.get("outside") or ()),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()
