"""Lint and breaking as before, but for what was judged before: that is told again, without loading what judges."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from treaty.config import Settings
from treaty.ops.against import Against
from treaty.ops.cache import inputs
from treaty.ops.cache.drawer import Drawer
from treaty.ops.cache.keys import Key, of_breaking, of_lint
from treaty.ops.cache.outcomes import NO_ENTRY, as_json, many, outcome_of, text
from treaty.ops.outcome import Outcome


def lint(settings: Settings, *, drawer: Drawer | None, rules: Iterable[str] = (), only: Iterable[str] = ()) -> Outcome:
    """``treaty.ops.check.run_lint``, with what it raises; None for no cache at all. Raises ``UsageError`` for an unknown rule."""
    names, paths = tuple(rules), tuple(only)

    def judge() -> Outcome:
        from treaty.ops.check import run_lint  # noqa: PLC0415  # who is told again what was judged needs no rules
        from treaty.ops.rules import known  # noqa: PLC0415  # as above

        known(names, kind="lint")
        return run_lint(settings, rules=names, only=paths)

    return once(settings, drawer, of_lint(settings, rules=names, only=paths), judge)


def breaking(settings: Settings, against: Against, *, today: date, drawer: Drawer | None) -> Outcome:
    """``treaty.ops.check.run_breaking``, with what it raises; None for no cache at all."""

    def judge() -> Outcome:
        from treaty.ops.check import run_breaking  # noqa: PLC0415  # as above

        return run_breaking(settings, against, today=today)

    return once(settings, drawer, of_breaking(settings, against, today=today), judge)


def once(settings: Settings, drawer: Drawer | None, key: Key, judge: Callable[[], Outcome]) -> Outcome:
    """The outcome that is known for this key; else judged, and kept if nothing changed while it was."""
    before = key() if drawer is not None else None
    if drawer is None or before is None:
        return judge()
    known = told(settings, drawer.get(before))
    if known is not None:
        return known
    folders = declared_code(settings)
    code_before = code_now(settings, folders)
    outcome = judge()
    body = entry(settings, outcome, folders, code_before)
    if code_before and body is not None and (key(), code_now(settings, folders)) == (before, code_before):
        drawer.put(before, body)
    return outcome


def told(settings: Settings, body: bytes | None) -> Outcome | None:
    """The outcome of an entry, if services' code is as it was; None for an entry that nobody can use."""
    if body is None:
        return None
    try:
        kept = json.loads(body)
        if text(kept["code"]) != code_now(settings, many(text, kept["folders"])):
            return None
        return outcome_of(kept["outcome"], root=settings.root)
    except NO_ENTRY:
        return None


def entry(settings: Settings, outcome: Outcome, folders: tuple[str, ...], code: str) -> bytes | None:
    """An outcome as it is kept; None for one that would not come back the same."""
    try:
        kept: dict[str, Any] = {"folders": folders, "code": code, "outcome": as_json(outcome)}
        body = json.dumps(kept).encode()
        return body if outcome_of(json.loads(body)["outcome"], root=settings.root) == outcome else None
    except NO_ENTRY:
        return None


def code_now(settings: Settings, folders: tuple[str, ...]) -> str:
    """The digest of services' code; "" where it cannot be read."""
    try:
        return inputs.code(settings, folders)
    except (OSError, ValueError):
        return ""


def declared_code(settings: Settings) -> tuple[str, ...]:
    """Where ``topics.toml`` says that services have their code; what is wrong with it is not said here."""
    try:
        services = tomllib.loads((settings.folder("schemas") / "topics.toml").read_text(encoding="utf-8"))["service"]
        return tuple(sorted({table["code"] for table in services.values() if isinstance(table.get("code"), str)}))
    except (OSError, *NO_ENTRY):
        return ()
