"""A release: the current schemas as a set that is never edited again, with bytes that must be read for ever.

The folder of the release comes first and by one rename: before it nothing happened, after it the release is there. What follows
(the SDK with its version, the changelog, the lock as the last) is made of releases alone, so a run that was killed between is
finished by the next one.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from treaty.config import Settings
from treaty.errors import TreatyError, UsageError
from treaty.ops import git
from treaty.ops.against import Against
from treaty.ops.baseline import RELEASES, SET, read_set, release_folders, releases, set_document, version_key
from treaty.ops.check import judged, run_breaking, run_lint
from treaty.ops.evolution import GOLDEN, golden_faults, matrix
from treaty.ops.files import replace_whole, write_folder
from treaty.ops.generate import events_of, generated
from treaty.ops.generated_folders import generated_folders
from treaty.ops.lockfile import LOCK, read_lock, released
from treaty.ops.notes import CHANGELOG, NOTES, changelog, notes
from treaty.ops.schemas import load_project
from treaty.ops.tagging import TAG, annotate, commit, uncommitted
from treaty_codegen.bump import FIRST as FIRST_CONTRACT
from treaty_codegen.bump import Bump, Contracts, contracts, raised
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.golden import golden
from treaty_codegen.old_set import OldSet, old_set

VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)
ASIDE = re.compile(rf"\.{VERSION.pattern}-\w{{8}}", re.ASCII)
"""How a release's folder is called until it is whole."""
FIRST = "0.1.0"


class NotReleasable(TreatyError):
    """The schemas cannot be released."""

    exit_code = 1


class NothingChanged(NotReleasable):
    """Nothing changed since the last release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release that could be written: ``files`` by name, ``path`` of the folder from the project."""

    version: str
    path: str
    bump: Bump
    contracts: Contracts
    files: dict[str, str]
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A release that is there, and the files that were still to be written for it."""

    version: str
    files: tuple[str, ...]


def sweep(settings: Settings) -> None:
    """Removes what a killed release had begun to write aside. Only for whoever is alone with the folder."""
    folder = settings.folder("schemas")
    for path in (folder / RELEASES).glob(".*"):
        if ASIDE.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
    for name in (CHANGELOG, LOCK):
        for path in folder.glob(f".{name}-????????"):
            path.unlink()


def resume(settings: Settings, *, version: str | None, tags: bool) -> Resumed | None:
    """Finishes a release that an earlier run was killed in, or that only lacks its tag; None where there is none to finish.

    Only the newest release, and only if ``version`` names it or nothing.
    """
    folder = settings.folder("schemas")
    newest = next(iter(release_folders(folder / RELEASES)), None)
    if newest is None:
        return None
    was_cut = read_lock(folder).release != newest.name
    is_meant = newest.name == version or (version is None and is_released(settings, newest))
    files = tuple(finish(settings))
    lacks_tag = tags and f"{TAG}{newest.name}" not in git.tags(settings.root, TAG)
    return Resumed(version=newest.name, files=files) if is_meant and (was_cut or lacks_tag) else None


def is_released(settings: Settings, newest: Path) -> bool:
    """Whether the schemas are those of a release."""
    return events_of(read_set(newest / SET)) == events_of(old_set(load_project(settings), label=""))


def refuse_untaggable(settings: Settings) -> None:
    """Raises ``UsageError`` where nothing can be tagged: outside a repository, or before its first commit."""
    git.commit_of(settings.root, "HEAD")


def prepare(settings: Settings, *, version: str | None, at_least: Bump, today: date) -> Release:
    """Everything that a release consists of; nothing is written.

    ``version`` None: as the changes ask for, ``at_least`` may raise it. Raises ``NotReleasable`` on files that are not committed, a
    stale SDK, lint errors, unwaived breaks, or old bytes that are not read; ``UsageError`` for a version that is not higher.
    """
    if version is not None and not VERSION.fullmatch(version):
        raise UsageError(f"`{version}` is not a version like 1.4.0.")
    folder = settings.folder("schemas") / RELEASES
    known = releases(folder)
    last = known[0] if known else None
    refuse_lower(version, last)
    refuse_uncommitted(settings)
    refuse_stale(settings)
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
    return Release(version=chosen, path=path, bump=told.bump, contracts=told, files=files, pairs=len(pairs))


def write(settings: Settings, release: Release) -> list[str]:
    """Puts the folder in place, whole or not at all, then what follows from it; every file that was written, from the project."""
    write_folder(settings.root / release.path, release.files)
    return [*(f"{release.path}/{name}" for name in release.files), *finish(settings)]


def finish(settings: Settings) -> list[str]:
    """Writes what follows from the newest release and is not as it should be; each file's path from the project.

    Nothing is written where the lock, which comes last, names the newest release.
    """
    folder = settings.folder("schemas")
    newest = next(iter(release_folders(folder / RELEASES)), None)
    lock = read_lock(folder)
    if newest is None or lock.release == newest.name:
        return []
    last = read_set(newest / SET)
    contracts = {name: event.contract or FIRST_CONTRACT for name, event in last.events.items()}
    wanted = {
        CHANGELOG: changelog(folder / RELEASES),
        LOCK: released(lock, last, contracts, version=newest.name).text(),
    }
    written = list(generate(settings))
    for name, text in wanted.items():
        replace_whole(folder / name, text)
        written.append((folder / name).relative_to(settings.root).as_posix())
    return written


def generate(settings: Settings) -> Iterator[str]:
    """Gives the SDK and the catalogue the version of the release, where there are any; each changed file's path."""
    for each in generated(settings):
        if each.output.folder.is_dir():
            changes = [change for change in each.changes() if change.kind != "foreign"]
            each.write(changes)
            yield from (f"{each.name}/{change.path}" for change in changes)


def tag(settings: Settings, version: str) -> str:
    """Commits what a release wrote, if it is not committed, and tags that commit ``schemas/v1.4.0``; the tag's name.

    Raises ``TagTaken`` where another commit has the tag, ``UsageError`` outside a repository.
    """
    root, name = settings.root, f"{TAG}{version}"
    folder = settings.folder("schemas")
    own = [folder / RELEASES / version, folder / CHANGELOG, folder / LOCK, *outputs(settings)]
    commit(root, [path for path in own if path.exists()], f"Release schemas {version}")
    annotate(root, name, f"Schemas {version}")
    return name


def outputs(settings: Settings) -> list[Path]:
    """What the generator writes, as far as it is there."""
    paths = [each.folder / part for each in generated_folders(settings).values() for part in each.parts]
    return [path for path in paths if path.exists()]


def refuse_lower(version: str | None, last: OldSet | None) -> None:
    """Raises ``UsageError`` for a version that is not higher than the last release."""
    if version is None or last is None:
        return
    newest = last.label.removeprefix("release ")
    if version_key(version) <= version_key(newest):
        raise UsageError(f"{version} is not higher than the last release, {newest}.")


def refuse_uncommitted(settings: Settings) -> None:
    """Raises ``NotReleasable`` for schemas or generated files that git does not have: a release is of what was reviewed.

    Outside a repository there is nothing to compare with.
    """
    left = uncommitted(settings.root, [settings.folder("schemas"), *outputs(settings)])
    if left:
        raise NotReleasable(
            f"{len(left)} files are not committed; first: {left[0]}", next_step="commit them, or git stash"
        )


def refuse_stale(settings: Settings) -> None:
    """Raises ``NotReleasable`` for an SDK or a catalogue that is not what the schemas give; one that was never made is none."""
    for each in generated(settings):
        stale = each.changes() if each.output.folder.is_dir() else []
        if stale:
            raise NotReleasable(
                f"{each.name} is not what the schemas give: {len(stale)} files differ.", next_step="treaty generate"
            )


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
    """The version after the last release. Raises ``NothingChanged`` where that is so."""
    if last is None:
        return FIRST
    newest = last.label.removeprefix("release ")
    if bump is Bump.NONE:
        raise NothingChanged(f"Nothing changed since {newest}.", next_step="--bump patch releases it all the same")
    return raised(newest, bump)


def golden_lines(now: OldSet, version: str) -> Iterator[str]:
    """The lines of ``golden.jsonl``, events in alphabetical order."""
    for name, event in sorted(now.events.items()):
        for value in golden(name, event.text, version=version):
            yield value.line()
