"""Decisions on facts alone, a row a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import pytest

from treaty.registry.decisions import decide
from treaty.registry.decisions.decide import Delete, Existing, NewVersion, Refused, RegisterFacts
from treaty.registry.errors import (
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

NAME, OTHER = Name(".", "s"), Name(".", "r")


def version(number: int, schema_id: int, *, deleted: bool = False) -> VersionRow:
    return VersionRow(name=NAME, number=number, schema_id=schema_id, resolved_sha256=b"", deleted=deleted, created_at=0)


def never() -> NoReturn:
    raise AssertionError("compatibility was asked for")


def facts(
    *versions: VersionRow,
    mode: str = "READWRITE",
    same_id: int | None = None,
    taken: bool = False,
    twin: VersionRow | None = None,
) -> RegisterFacts:
    return RegisterFacts(
        name=NAME,
        mode=mode,
        versions=versions,
        next_number=1 + max((row.number for row in versions), default=0),
        same_id=same_id,
        asked_id_is_taken=taken,
        twin=twin,
        max_versions=3,
    )


def registered(
    known: RegisterFacts, *, asked_id: int | None = None, asked_version: int | None = None, messages: Sequence[str] = ()
) -> Existing | NewVersion | type[RegistryError]:
    decision = decide.register(known, asked_id=asked_id, asked_version=asked_version, judge=lambda: messages)
    return type(decision.error) if isinstance(decision, Refused) else decision


def test_the_first_version_is_one_under_the_next_id() -> None:
    assert registered(facts()) == NewVersion(1)


def test_deleted_versions_count_for_the_next_number() -> None:
    assert registered(facts(version(1, 1), version(2, 2, deleted=True))) == NewVersion(3)


def test_the_same_content_keeps_its_id() -> None:
    assert registered(facts(same_id=7)) == NewVersion(1, schema_id=7)
    assert registered(facts(version(1, 7, deleted=True), same_id=7)) == NewVersion(2, schema_id=7)


def test_a_live_version_of_the_same_content_is_answered_unjudged() -> None:
    known = facts(version(1, 7), version(2, 8), same_id=7)
    assert decide.register(known, asked_id=None, asked_version=None, judge=never) == Existing(version(1, 7))


def test_a_version_that_means_the_same_is_answered_unjudged() -> None:
    known = facts(version(1, 7), twin=version(1, 7))
    assert decide.register(known, asked_id=None, asked_version=None, judge=never) == Existing(version(1, 7))
    assert registered(known, asked_version=2) == NewVersion(2)


def test_what_is_incompatible_is_refused() -> None:
    assert registered(facts(version(1, 1)), messages=["no"]) is IncompatibleSchema


@pytest.mark.parametrize(
    ("mode", "asked_id", "error"),
    [
        ("READONLY", None, ReadOnly),
        ("READONLY_OVERRIDE", 1, ReadOnly),
        ("READWRITE", 1, NotInImportMode),
        ("IMPORT", None, NotInReadWriteMode),
    ],
)
def test_a_mode_refuses(mode: str, asked_id: int | None, error: type[RegistryError]) -> None:
    assert registered(facts(mode=mode), asked_id=asked_id) is error


def test_import_takes_any_free_number_and_is_not_judged() -> None:
    known = facts(version(4, 1), mode="IMPORT")
    assert decide.register(known, asked_id=9, asked_version=2, judge=never) == NewVersion(2, new_id=9)
    assert registered(known, asked_id=9, asked_version=4) is VersionNotNext
    assert registered(known, asked_id=9) == NewVersion(5, new_id=9)


def test_import_keeps_the_same_content_under_a_second_id_and_number() -> None:
    assert registered(facts(mode="IMPORT", same_id=3), asked_id=9) == NewVersion(1, new_id=9)
    known = facts(version(1, 3), mode="IMPORT", same_id=3)
    assert registered(known, asked_id=3, asked_version=2) == NewVersion(2, schema_id=3)
    assert registered(known, asked_id=3, asked_version=1) == Existing(version(1, 3))


def test_import_never_overwrites_an_id() -> None:
    assert registered(facts(mode="IMPORT", taken=True), asked_id=9) is OverwriteRefused


def test_an_explicit_version_is_the_next_one() -> None:
    assert registered(facts(version(1, 1)), asked_version=2) == NewVersion(2)
    assert registered(facts(version(1, 1)), asked_version=3) is VersionNotNext
    assert registered(facts(version(1, 1)), asked_version=1) is VersionNotNext


def test_a_subject_has_a_most_of_versions() -> None:
    assert registered(facts(version(1, 1), version(2, 2), version(3, 3))) is TooManyVersions


LIVE = Referrer(".", 9, frozenset({OTHER}), frozenset({OTHER}))
DEAD = Referrer(".", 9, frozenset({OTHER}), frozenset())
OWN = Referrer(".", 9, frozenset({NAME}), frozenset({NAME}))


@pytest.mark.parametrize(
    ("number", "permanent", "mode", "referrers", "outcome"),
    [
        (1, False, "READWRITE", [], (1,)),
        (2, False, "READWRITE", [], VersionSoftDeleted),
        (2, True, "READWRITE", [], (2,)),
        (1, True, "READWRITE", [], VersionNotSoftDeleted),
        (3, False, "READWRITE", [], VersionNotFound),
        (1, False, "READONLY", [], ReadOnly),
        (1, False, "READWRITE", [LIVE], ReferenceExists),
        (1, False, "READWRITE", [DEAD], (1,)),
        (2, True, "READWRITE", [DEAD], ReferenceExists),
        (1, False, "READWRITE", [OWN], ReferenceExists),
    ],
)
def test_deleting_a_version(
    number: int,
    permanent: bool,  # a table's column
    mode: str,
    referrers: list[Referrer],
    outcome: object,
) -> None:
    rows = [version(1, 1), version(2, 2, deleted=True)]
    decision = decide.delete_version(NAME, number, mode=mode, versions=rows, referrers=referrers, permanent=permanent)
    assert (decision.numbers if isinstance(decision, Delete) else type(decision.error)) == outcome


def test_deleting_a_version_of_nothing() -> None:
    decision = decide.delete_version(NAME, 1, mode="READWRITE", versions=[], referrers=[], permanent=False)
    assert isinstance(decision, Refused)
    assert isinstance(decision.error, SubjectNotFound)


@pytest.mark.parametrize(
    ("live", "permanent", "mode", "referrers", "outcome"),
    [
        (True, False, "READWRITE", [], (1,)),
        (True, True, "READWRITE", [], SubjectNotSoftDeleted),
        (False, True, "READWRITE", [], (1, 2)),
        (False, False, "READWRITE", [], SubjectSoftDeleted),
        (True, False, "READONLY_OVERRIDE", [], ReadOnly),
        (True, False, "READWRITE", [LIVE], ReferenceExists),
        (True, False, "READWRITE", [DEAD, OWN], (1,)),
        (False, True, "READWRITE", [DEAD], ReferenceExists),
        (False, True, "READWRITE", [OWN], (1, 2)),
    ],
)
def test_deleting_a_subject(
    live: bool,  # a table's column
    permanent: bool,  # a table's column
    mode: str,
    referrers: list[Referrer],
    outcome: object,
) -> None:
    rows = [version(1, 1, deleted=not live), version(2, 2, deleted=True)]
    decision = decide.delete_subject(
        NAME, mode=mode, versions=rows, referrers_of=lambda _: referrers, permanent=permanent
    )
    assert (decision.numbers if isinstance(decision, Delete) else type(decision.error)) == outcome


def test_deleting_a_subject_that_never_was() -> None:
    decision = decide.delete_subject(NAME, mode="READWRITE", versions=[], referrers_of=lambda _: [], permanent=True)
    assert isinstance(decision, Refused)
    assert isinstance(decision.error, SubjectNotFound)
