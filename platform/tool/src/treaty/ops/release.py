"""A release: the current schemas as a set that is never edited again, with bytes that must be read for ever."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from treaty.config import Settings
from treaty.errors import TreatyError, UsageError
from treaty.ops.baseline import RELEASES, SET, releases, set_document, version_key
from treaty.ops.check import Against, judged, run_breaking, run_lint
from treaty.ops.evolution import GOLDEN, golden_faults, matrix
from treaty.ops.files import replace_whole, write_folder
from treaty.ops.lockfile import LOCK, read_lock, released
from treaty.ops.notes import NOTES, notes
from treaty.ops.schemas import load_project
from treaty_codegen.breaking.facts import OldSet, old_set
from treaty_codegen.bump import Bump, Contracts, contracts, raised
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.golden import golden

VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)
FIRST = "0.1.0"


class NotReleasable(TreatyError):
    """The schemas cannot be released."""

    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release that could be written: ``files`` by name, ``path`` of the folder from the project, ``lock`` beside all folders."""

    version: str
    path: str
    bump: Bump
    contracts: Contracts
    files: dict[str, str]
    lock: str
    pairs: int


def prepare(settings: Settings, *, version: str | None, at_least: Bump, today: date) -> Release:
    """Everything that a release consists of; nothing is written.

    ``version`` None: as the changes ask for, ``at_least`` may raise it. Raises ``NotReleasable`` on lint errors, unwaived breaks,
    old bytes that are not read, or a version that says less than changed; ``UsageError`` for a version that is not higher.
    """
    if version is not None and not VERSION.fullmatch(version):
        raise UsageError(f"`{version}` is not a version like 1.4.0.")
    folder = settings.folder("schemas") / RELEASES
    known = releases(folder)
    last = known[0] if known else None
    refuse_lower(version, last)
    refuse_errors(settings, today=today)
    catalog = load_project(settings)
    now = old_set(catalog, label="the working tree")
    found: list[Finding] = judged(settings, catalog, [last], today=today) if last is not None else []
    told = contracts(now, last, found)
    chosen = version or next_version(last, max(told.bump, at_least))
    pairs = list(matrix([now, *known]))
    wrong = [*golden_faults(folder, now), *(str(pair) for pair in pairs if pair.contradicts)]
    if wrong:
        raise NotReleasable(f"{len(wrong)} old values are not read as promised; first: {wrong[0]}")
    document = set_document(now, told.versions, version=chosen)
    files = {
        SET: json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n",
        GOLDEN: "".join(golden_lines(now, chosen)),
        NOTES: notes(last, now, version=chosen, contracts=told.versions),
    }
    path = (folder / chosen).relative_to(settings.root).as_posix()
    lock = released(read_lock(settings.folder("schemas")), now, told.versions, version=chosen).text()
    return Release(version=chosen, path=path, bump=told.bump, contracts=told, files=files, lock=lock, pairs=len(pairs))


def write(settings: Settings, release: Release) -> None:
    """Writes the lock and puts the folder in place, each whole or not at all; killed between the two, it is run again."""
    replace_whole(settings.folder("schemas") / LOCK, release.lock)
    write_folder(settings.root / release.path, release.files)


def refuse_lower(version: str | None, last: OldSet | None) -> None:
    """Raises ``UsageError`` for a version that is not higher than the last release."""
    if version is None or last is None:
        return
    newest = last.label.removeprefix("release ")
    if version_key(version) <= version_key(newest):
        raise UsageError(f"{version} is not higher than the last release, {newest}.")


def refuse_errors(settings: Settings, *, today: date) -> None:
    """Raises ``NotReleasable`` for lint errors and unwaived breaks."""
    against = Against(names=(RELEASES,), judges_all=True)
    errors = [
        finding
        for outcome in (run_lint(settings), run_breaking(settings, against, today=today))
        for finding in outcome.findings
        if finding.severity is Severity.ERROR
    ]
    if errors:
        raise NotReleasable(
            f"{len(errors)} errors stand in the way; first: {errors[0].at} {errors[0].message}",
            next_step="treaty lint && treaty breaking",
        )


def next_version(last: OldSet | None, bump: Bump) -> str:
    """The version after the last release. Raises ``NotReleasable`` where nothing changed."""
    if last is None:
        return FIRST
    newest = last.label.removeprefix("release ")
    if bump is Bump.NONE:
        raise NotReleasable(f"Nothing changed since {newest}.", next_step="--bump patch releases it all the same")
    return raised(newest, bump)


def golden_lines(now: OldSet, version: str) -> Iterator[str]:
    """The lines of ``golden.jsonl``, events in alphabetical order."""
    for name, event in sorted(now.events.items()):
        for value in golden(name, event.text, version=version):
            yield value.line()
