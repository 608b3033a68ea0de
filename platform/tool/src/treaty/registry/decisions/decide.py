"""What a write does, decided on facts alone: the service gathers them under its locks, asks here, and obeys.

Laws: the same content keeps its id in a context; a version number is one more than the highest that exists, deleted ones
included; nothing that is referred to goes away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from treaty.registry.decisions.merge import IMPORT, READWRITE, is_read_only
from treaty.registry.errors import (
    ImportIntoExistingSubjects,
    IncompatibleSchema,
    NotInImportMode,
    NotInReadWriteMode,
    OverwriteRefused,
    ReadOnly,
    ReferenceExists,
    RegistryError,
    SubjectNotFound,
    SubjectNotSoftDeleted,
    SubjectSoftDeleted,
    TooManyVersions,
    VersionNotFound,
    VersionNotNext,
    VersionNotSoftDeleted,
    VersionSoftDeleted,
)
from treaty.registry.names import Name
from treaty.registry.rows import Referrer, VersionRow

LATEST: Final = -1
"""The version number that stands for the newest."""


@dataclass(frozen=True, slots=True)
class Existing:
    """The schema is there already: answer this version, write nothing."""

    version: VersionRow


@dataclass(frozen=True, slots=True)
class NewVersion:
    """Store version ``number``, of the stored schema ``schema_id``, or (None) of a new one under ``new_id`` or the next."""

    number: int
    schema_id: int | None = None
    new_id: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete these versions."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Write nothing and answer this error."""

    error: RegistryError


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFacts:
    """What is known when a schema is to be registered under ``name``.

    ``same_id``: the id that this content has in the context. ``asked_id_is_taken``: other content lives under the id that
    the request wants. ``twin``: a live version that means the same. ``versions``: all of the subject, ascending.
    ``next_number``: what the next version is called.
    """

    name: Name
    mode: str
    versions: Sequence[VersionRow]
    next_number: int
    same_id: int | None
    asked_id_is_taken: bool
    twin: VersionRow | None
    max_versions: int


def mode_refuses(name: Name, mode: str, *, asked_id: int | None) -> RegistryError | None:
    """Why a schema may not be registered in this mode, or None."""
    if is_read_only(mode):
        return ReadOnly(name, name.prefix)
    if asked_id is not None and mode != IMPORT:
        return NotInImportMode(name, name.prefix)
    if asked_id is None and mode != READWRITE:
        return NotInReadWriteMode(name, name.prefix)
    return None


def answers(version: VersionRow, *, asked_id: int | None, asked_version: int | None) -> bool:
    """True if this version is what a request with that id and version number asks for.

    A number alone asks for a *new* version of that number (compare and set); with the id it tells which one is meant.
    """
    if asked_version in (None, LATEST):
        return asked_id in (None, version.schema_id)
    return (asked_id, asked_version) == (version.schema_id, version.number)


def register(
    facts: RegisterFacts, *, asked_id: int | None, asked_version: int | None, judge: Callable[[], Sequence[str]]
) -> Existing | NewVersion | Refused:
    """Decide a registration; ``judge`` gives the reasons why the schema is incompatible and is asked at most once.

    ``asked_version`` ``LATEST``: a new version unless the newest one is it (which the caller has looked at).
    """
    refusal = mode_refuses(facts.name, facts.mode, asked_id=asked_id)
    if refusal is not None:
        return Refused(refusal)
    importing = facts.mode == IMPORT
    same_id = facts.same_id if asked_id in (None, facts.same_id) else None
    own = next((row for row in facts.versions if row.schema_id == same_id and not row.deleted), None)
    if own is not None and (not importing or asked_version in (None, own.number)):
        return Existing(own)
    if facts.twin is not None and asked_version is None and not importing:
        return Existing(facts.twin)
    if not importing and (messages := judge()):
        return Refused(IncompatibleSchema(facts.name, ", ".join(messages)))
    return _numbered(facts, asked_id=asked_id, asked_version=asked_version, same_id=same_id)


def _numbered(
    facts: RegisterFacts, *, asked_id: int | None, asked_version: int | None, same_id: int | None
) -> NewVersion | Refused:
    number = facts.next_number if asked_version in (None, LATEST) else asked_version
    # An import brings its deleted versions too: one of ours that is deleted already gives way to it.
    taken = any(row.number == number and not (row.deleted and facts.mode == IMPORT) for row in facts.versions)
    if taken or (number != facts.next_number and facts.mode != IMPORT):
        return Refused(VersionNotNext())
    if len(facts.versions) >= facts.max_versions:
        return Refused(TooManyVersions(facts.name, facts.max_versions))
    if same_id is not None:
        return NewVersion(number, schema_id=same_id)
    if facts.asked_id_is_taken:
        return Refused(OverwriteRefused(asked_id, facts.name.prefix))
    return NewVersion(number, new_id=asked_id)


def delete_version(
    name: Name,
    number: int,
    *,
    mode: str,
    versions: Sequence[VersionRow],
    referrers: Iterable[Referrer],
    permanent: bool,
) -> Delete | Refused:
    """Decide the delete of one version; ``versions`` are all of the subject, ``referrers`` those of the version."""
    row = next((row for row in versions if row.number == number), None)
    if row is None:
        return Refused(VersionNotFound(number) if versions else SubjectNotFound(name))
    if permanent and not row.deleted:
        return Refused(VersionNotSoftDeleted(name, number))
    if not permanent and row.deleted:
        return Refused(VersionSoftDeleted(name, number))
    if is_read_only(mode):
        return Refused(ReadOnly(name, name.prefix))
    if any(permanent or referrer.live for referrer in referrers):
        return Refused(ReferenceExists(name, number))
    return Delete((number,))


def restore(
    name: Name, *, mode: str, missing: RegistryError | None, judge: Callable[[], Sequence[str]]
) -> Refused | None:
    """Why the soft delete of a version may not be taken back, or None.

    ``missing``: what the version's schema refers to is not there, or deleted itself. ``judge``: as in ``register``.
    """
    if is_read_only(mode):
        return Refused(ReadOnly(name, name.prefix))
    if missing is not None:
        return Refused(missing)
    messages = judge()
    return Refused(IncompatibleSchema(name, ", ".join(messages))) if messages else None


def delete_subject(
    name: Name,
    *,
    mode: str,
    versions: Sequence[VersionRow],
    referrers_of: Callable[[int], Iterable[Referrer]],
    permanent: bool,
) -> Delete | Refused:
    """Decide the delete of a subject; references among its own versions do not count."""
    live = tuple(row.number for row in versions if not row.deleted)
    if not versions:
        return Refused(SubjectNotFound(name))
    if permanent and live:
        return Refused(SubjectNotSoftDeleted(name))
    if not permanent and not live:
        return Refused(SubjectSoftDeleted(name))
    if is_read_only(mode):
        return Refused(ReadOnly(name, name.prefix))
    numbers = tuple(row.number for row in versions) if permanent else live
    for number in numbers:
        if any((each.subjects if permanent else each.live) - {name} for each in referrers_of(number)):
            return Refused(ReferenceExists(name, number))
    return Delete(numbers)


def enter_import(
    *, live_subjects: bool, deleted: Iterable[VersionRow], is_referred: Callable[[VersionRow], bool]
) -> Sequence[VersionRow] | Refused:
    """Decide the change to IMPORT without force: the soft-deleted versions to remove, or why not."""
    if live_subjects:
        return Refused(ImportIntoExistingSubjects())
    rows = list(deleted)
    held = next((row for row in rows if is_referred(row)), None)
    return rows if held is None else Refused(ReferenceExists(held.name, held.number))
