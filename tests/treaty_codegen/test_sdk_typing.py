"""Type checkers know everything of generated classes, and refuse what is wrong, each at its line.

``tests/typing/consumers`` is what users write: ``inferred.py`` must pass, every marked line of ``mistakes.py`` must fail.
"""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from tests.treaty_codegen.adversarial import adversarial
from tests.treaty_codegen.checkers import CHECKERS, ROOT, Complaint, basedpyright
from tests.treaty_codegen.features import FEATURES
from tests.treaty_codegen.generated import write_sdk
from tests.treaty_codegen.hard import HARD
from tests.treaty_codegen.test_adversarial import generate, write
from treaty_codegen import SdkSettings

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("typing"), pytest.mark.timeout(300)]

TYPING = ROOT / "tests/typing"
VERSIONS = ("3.11", "3.13")
"""The oldest and the newest Python; a checker needs no interpreter of that version."""

SHOP = SdkSettings(package="shop_events", distribution="shop-events", namespace="shop")


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All features, hard and some hostile schemas, the shop and its consumers, as packages of one folder: one run of a checker sees all."""
    folder = tmp_path_factory.mktemp("typing")
    for number, feature in enumerate((*FEATURES, *HARD)):
        write_sdk(feature.files, to=folder, settings=SdkSettings(package=f"feature_{number}", namespace="test"))
    write((each for each in map(generate, islice(adversarial(), 0, None, 8)) if isinstance(each, tuple)), to=folder)
    schemas = TYPING / "schemas"
    files = {path.relative_to(schemas).as_posix(): path.read_text("utf-8") for path in schemas.rglob("*.avsc")}
    src = write_sdk(files, to=folder, settings=SHOP, topics=(schemas / "topics.toml").read_text("utf-8"))
    shutil.copytree(TYPING / "consumers", src / "consumers")
    return src


@pytest.fixture(scope="module")
def ask(checked: Path) -> Callable[[str, str], list[Complaint]]:
    """What a checker says of everything, asked once for each version of Python, in whatever order the tests come."""
    return functools.cache(lambda name, version: CHECKERS[name](checked, python=version))


@pytest.fixture(params=[(name, version) for name in CHECKERS for version in VERSIONS], ids="-".join)
def complaints(
    request: pytest.FixtureRequest, ask: Callable[[str, str], list[Complaint]]
) -> tuple[str, list[Complaint]]:
    """The name of a checker, and what it says."""
    name, version = request.param
    return name, ask(name, version)


def marked(checker: str) -> set[tuple[int, str]]:
    """Line and rule of each mistake, as the checker should call it."""
    text = (TYPING / "consumers/mistakes.py").read_text("utf-8")
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        match = re.search(r"# error: ([^|]+) \| (.+)$", line)
        if match:
            found |= {(number, rule) for rule in match[1 + list(CHECKERS).index(checker)].split(", ")}
    return found


def test_every_feature_and_hard_schema_is_fully_typed(complaints: tuple[str, list[Complaint]]) -> None:
    assert [each for each in complaints[1] if each.path.startswith(("feature_", "case_", "shop_events"))] == []


def test_an_editor_infers_what_the_schema_says(complaints: tuple[str, list[Complaint]]) -> None:
    assert [each for each in complaints[1] if each.path == "consumers/inferred.py"] == []


def test_every_mistake_is_found_at_its_line_and_nothing_else(complaints: tuple[str, list[Complaint]]) -> None:
    checker, said = complaints
    found = {(each.line, each.rule) for each in said if each.path == "consumers/mistakes.py"}
    assert found == marked(checker)
    assert len({line for line, _ in found}) >= 20


def test_no_complaint_is_about_anything_else(complaints: tuple[str, list[Complaint]]) -> None:
    assert {each.path for each in complaints[1]} == {"consumers/mistakes.py"}


def test_the_events_of_the_mall_are_fully_typed(tmp_path: Path) -> None:
    """For the other checker; mypy sees them and their consumer in ``make check``."""
    shutil.copytree(ROOT / "sdk/src/mall_events", tmp_path / "src/mall_events", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(TYPING / "events.py", tmp_path / "src/consumer.py")
    assert basedpyright(tmp_path / "src", python="3.11") == []
