"""An empty registry from git alone: the texts that git has, under the ids that ``schemas.lock`` remembers: ``registry rebuild``.

Records in topics hold ids. Whoever loses a registry's database and has no export finds in git which text each id stood for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from treaty.config import Settings
from treaty.errors import TreatyError, UsageError
from treaty.ops.backup import Backup, referred_first
from treaty.ops.baseline import RELEASES, releases
from treaty.ops.lockfile import Applied, Lock, Subjects, sha256
from treaty.ops.plan.registry import Wanted, desired
from treaty.ops.schemas import load_project, references_of
from treaty_codegen.publish import referring, types_within


class TextsMissing(TreatyError):
    """Git has not every text that was applied."""

    exit_code = 1


def from_git(settings: Settings, lock: Lock, *, environment: str) -> Backup:
    """What an environment's registry held when the lock was written, as an import takes it, with the levels of today.

    Raises ``UsageError`` for an environment that nothing was applied to, ``TextsMissing``.
    """
    applied = lock.environments.get(environment, {})
    if not applied:
        known = ", ".join(sorted(lock.environments)) or "none"
        raise UsageError(
            f"The lock has no ids of {environment}; it has those of: {known}.",
            next_step="`treaty registry apply` writes them; what was lost before needs an export: treaty registry import",
        )
    wanted = desired(load_project(settings), environment=environment, references=references_of(settings))
    return backup_of(applied, wanted, texts_of(settings, wanted, shared=has_shared(applied)))


def has_shared(applied: Subjects) -> bool:
    """Whether some version leaves shared types out, so that those have subjects of their own."""
    return any(row.references for versions in applied.values() for row in versions.values())


def texts_of(settings: Settings, wanted: Iterable[Wanted], *, shared: bool = False) -> Mapping[str, str]:
    """Every text that git publishes or has released, by its SHA-256; ``shared``: also that of every type within one."""
    released = (event.text for old in releases(settings.folder("schemas") / RELEASES) for event in old.events.values())
    texts = {sha256(text): text for text in (*released, *(row.text for row in wanted))}
    if not shared:
        return texts
    within = (part for text in texts.values() for _, part in types_within(text))
    return {sha256(text): text for text in within} | texts


def backup_of(applied: Subjects, wanted: Iterable[Wanted], texts: Mapping[str, str]) -> Backup:
    """The versions of ``applied`` with their texts; raises ``TextsMissing`` where there is none."""
    versions = [(subject, number, row) for subject, rows in applied.items() for number, row in rows.items()]
    missing = [f"{subject} version {number}" for subject, number, row in versions if row.sha256 not in texts]
    if missing:
        raise TextsMissing(
            f"Neither schemas nor releases have the text of {missing[0]}"
            f"{f' and of {len(missing) - 1} more versions' if len(missing) > 1 else ''}.",
            next_step="check out the commit that was applied, or bring an export back: treaty registry import",
        )
    rows = [
        {"subject": subject, "version": number, "id": row.id}
        | registered(row, texts[row.sha256])
        | ({"deleted": True} if row.deleted else {})
        for subject, number, row in versions
    ]
    levels = {row.subject: {"compatibility": row.level} for row in wanted if row.subject in applied}
    return Backup(tuple(referred_first(rows)), levels, {})


def registered(row: Applied, text: str) -> dict[str, Any]:
    """A whole text in the form in which it was registered."""
    if not row.references:
        return {"schema": text}
    sent = referring(text, names={each.name for each in row.references})
    return {"schema": sent, "references": [each.body() for each in row.references]}
