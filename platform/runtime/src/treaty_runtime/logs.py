"""One structured log line per hook: which event, where, how it ended. Never a payload, a key or an exception's text."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import structlog

from treaty_runtime import hooks as seen

ERRORS = frozenset({seen.Missed, seen.Overtaken, seen.PartBroke})
WARNINGS = frozenset({
    seen.DeadLettered, seen.Failed, seen.Fenced, seen.OutageBegan, seen.OutboxHeld, seen.PublishRefused, seen.Quarantined,
    seen.Rewound, seen.RightMissing, seen.SettingsWarning,
})  # fmt: skip
QUIET = frozenset({seen.Received, seen.Committed, seen.Staged, seen.Relayed, seen.LanesHeld})
"""Too many to be read: told at debug level."""
_UNSAFE = frozenset({"error", "reason"})
"""Texts that may repeat values of an event. An exception is told by its class, a dead letter by its reason's first word."""


class Logs:
    """An observer that logs with structlog, as the program has configured it."""

    def __init__(self, service: str, *, logger: Any = None) -> None:
        self._logger = (logger or structlog.get_logger("treaty")).bind(service=service)

    def __call__(self, hook: object) -> None:
        """Log what happened; the event name is the hook's, in snake case."""
        kind = type(hook)
        level = "error" if kind in ERRORS else "warning" if kind in WARNINGS else "debug" if kind in QUIET else "info"
        values = {field.name: getattr(hook, field.name) for field in fields(hook)}  # type: ignore[arg-type]  # hooks are dataclasses
        getattr(self._logger, level)(
            _snake(kind.__name__), **{name: _safe(name, value) for name, value in values.items()}
        )


def _safe(name: str, value: object) -> object:
    if isinstance(value, Exception):
        return type(value).__name__
    if name in _UNSAFE:
        return str(value).partition(" ")[0].partition(":")[0]
    if isinstance(value, int | float | bool | None):
        return value
    return str(value)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
