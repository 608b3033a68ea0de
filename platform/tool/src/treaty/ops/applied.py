"""The ids that an environment gave, written down in ``schemas.lock`` after an apply."""

from __future__ import annotations

from collections.abc import Collection

from treaty.config import Settings
from treaty.ops.contents import Contents, Stored
from treaty.ops.files import alone, replace_whole
from treaty.ops.lockfile import LOCK, Applied, as_applied, read_lock, sha256
from treaty.ops.plan import Plan
from treaty.ops.plan.registry import desired, same
from treaty.ops.registry import history
from treaty.ops.schemas import load_project, references_of


def record(settings: Settings, made: Plan, held: Contents) -> bool:
    """Writes what an environment holds after a plan into the lock; False where it said so before.

    ``held``: everything that the registry holds now. Subjects that git never wanted are left out; versions that the lock knows
    and the registry does not list any more are marked as deleted.
    """
    folder = settings.folder("schemas")
    gone = {step.subject for step in made.steps if step.action == "permanent-delete"}
    published = texts(settings, made.environment)
    live = {
        subject: {n: applied(row, known) for n, row in rows}
        for subject, known in published.items()
        if (rows := held.get(subject, {}).items())
    }
    with alone(folder):
        before = read_lock(folder)
        text = as_applied(before, made.environment, live, held=held, gone=gone).text()
        if before.text() == text:
            return False
        replace_whole(folder / LOCK, text)
    return True


def applied(row: Stored, known: Collection[str]) -> Applied:
    """A live version as the lock has it; ``known``: the texts that git publishes or published for its subject."""
    told = sha256(as_published(row.text, known))
    return Applied(id=row.id, guid=row.guid, sha256=told, references=row.references)


def texts(settings: Settings, environment: str) -> dict[str, tuple[str, ...]]:
    """Every text that git publishes or published, by subject, the one of today first."""
    past = history(settings, environment).texts
    wanted = desired(load_project(settings), environment=environment, references=references_of(settings))
    return {row.subject: (row.text, *past.get(row.event, ())) for row in wanted}


def as_published(registered: str, known: Collection[str]) -> str:
    """The text of git that a registered one says in another print; the registered one itself where git has none."""
    if registered in known:
        return registered
    return next((text for text in known if same(text, registered)), registered)
