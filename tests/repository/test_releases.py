"""Every released set of this repository keeps its promises: old bytes are read, and each pair of releases does what the checks say."""

from __future__ import annotations

from tests.cases.markdown import ROOT
from treaty.config import Settings
from treaty.ops.baseline import releases
from treaty.ops.evolution import golden_faults, matrix
from treaty.ops.lockfile import LOCK, read_lock, released
from treaty.ops.notes import CHANGELOG, changelog
from treaty.ops.schemas import load_project
from treaty_codegen.old_set import old_set

FOLDER = ROOT / "schemas" / "releases"


def test_every_golden_value_of_every_release_is_read_as_it_was_recorded() -> None:
    settings = Settings.load(ROOT / "treaty.toml", {}, start=ROOT)
    now = old_set(load_project(settings), label="the working tree")
    assert list(golden_faults(FOLDER, now)) == []


def test_no_pair_of_releases_contradicts_the_static_verdict() -> None:
    settings = Settings.load(ROOT / "treaty.toml", {}, start=ROOT)
    now = old_set(load_project(settings), label="the working tree")
    pairs = list(matrix([now, *releases(FOLDER)]))
    assert pairs, "there is at least one release"
    assert [pair for pair in pairs if pair.contradicts] == []


def test_the_lock_is_that_of_the_newest_release() -> None:
    newest = releases(FOLDER)[0]
    contracts = {name: event.contract for name, event in newest.events.items()}
    lock = released(read_lock(FOLDER.parent), newest, contracts, version=newest.label.removeprefix("release "))
    assert (FOLDER.parent / LOCK).read_text(encoding="utf-8") == lock.text()


def test_the_changelog_is_that_of_the_releases() -> None:
    assert (FOLDER.parent / CHANGELOG).read_text(encoding="utf-8") == changelog(FOLDER)
