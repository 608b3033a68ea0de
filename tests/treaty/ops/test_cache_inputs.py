"""Each thing that an answer depends on is changed in turn: then it is judged anew, and what does not matter changes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import EVENT, TOPICS, Scratch, changed, project
from tests.treaty.ops.remembering import MARK, RELEASES, Remembering, beside
from treaty.errors import UsageError
from treaty.ops.against import Against
from treaty.ops.cache import checks, inputs, keys
from treaty.ops.http import RegistryHttp
from treaty.ops.outcome import Outcome

pytestmark = pytest.mark.long

SERVICE = '[service.order]\nowner = "@mall/orders"\ncode = "services/order"\n'
TOML = '[breaking]\nagainst = ["releases"]\n'


@pytest.fixture
def known(tmp_path: Path) -> Remembering:
    """A repository with a release, a service and a branch, of which lint and breaking are remembered."""
    scratch = project(tmp_path / "project", toml=TOML, topics=TOPICS + SERVICE)
    scratch.write("services/order/handlers.py", "x = 1\n")
    scratch.git("init", "-q")
    scratch.commit()
    assert scratch.run("release", "1.0.0").code == 0
    scratch.commit()
    scratch.git("tag", "schemas/v1.0.0")
    scratch.git("checkout", "-q", "-b", "feature")
    scratch.write("schemas/order/order_paid.avsc", changed(order_id="string"))
    made = beside(scratch, tmp_path)
    made.lint()
    made.breaking()
    made.mark()
    return made


def is_told_again(outcome: Outcome) -> bool:
    return outcome.looked_at == MARK


def test_the_same_question_is_answered_without_judging(known: Remembering) -> None:
    assert is_told_again(known.lint())
    assert is_told_again(known.breaking())


@pytest.mark.parametrize(
    "path", ["README", "services/other/x.py", "services/order/notes.txt", "services/order/__pycache__/x.pyc"]
)
def test_what_no_check_looks_at_changes_nothing(known: Remembering, path: str) -> None:
    known.scratch.write(path, "anything")
    assert is_told_again(known.lint())
    assert is_told_again(known.breaking())


def test_times_and_rights_of_files_change_nothing(known: Remembering) -> None:
    for file in (known.scratch.root / "schemas").rglob("*.avsc"):
        os.utime(file, (1, 1))
        file.chmod(0o600)
    assert is_told_again(known.lint())


CHANGES: dict[str, Callable[[Scratch], object]] = {
    "a schema": lambda scratch: scratch.write("schemas/order/order_paid.avsc", EVENT),
    "a schema more": lambda scratch: scratch.write("schemas/order/order_lost.avsc", EVENT | {"name": "OrderLost"}),
    "a schema's name": lambda scratch: (scratch.root / "schemas/order/order_paid.avsc").rename(
        scratch.root / "schemas/order/paid.avsc"
    ),
    "topics": lambda scratch: scratch.write("schemas/topics.toml", TOPICS + SERVICE + "\n"),
    "waivers": lambda scratch: scratch.write("schemas/waivers.toml", ""),
    "examples": lambda scratch: scratch.write("schemas/order/order_paid.examples.json", "[]"),
    "the lock of readers": lambda scratch: scratch.write("schemas/readers.lock", '{"format": 1, "services": {}}'),
    "a release": lambda scratch: scratch.write("schemas/releases/1.0.0/CHANGELOG.md", "edited"),
    "a service's code": lambda scratch: scratch.write("services/order/handlers.py", "x = 2\n"),
    "more of a service's code": lambda scratch: scratch.write("services/order/deep/more.py", ""),
    "a service's code goes": lambda scratch: shutil.rmtree(scratch.root / "services"),
    "a setting of the project": lambda scratch: scratch.write("treaty.toml", TOML + '[project]\nnamespace = "shop"\n'),
    "a setting of governance": lambda scratch: scratch.write(
        "treaty.toml", TOML + '[governance]\npii_owner = "@mall/privacy"\n[project]\nnamespace = "mall"\n'
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_both_look_at_is_judged_anew(known: Remembering, change: str) -> None:
    CHANGES[change](known.scratch)
    assert not is_told_again(known.lint())
    assert not is_told_again(known.breaking())


def test_a_folder_that_is_called_like_a_schema_is_judged_anew(known: Remembering) -> None:
    (known.scratch.root / "schemas/x.avsc").mkdir()
    assert not is_told_again(known.lint())


def test_lint_is_asked_anew_for_other_rules_paths_and_settings(known: Remembering) -> None:
    assert not is_told_again(known.lint(rules=("field-without-doc",)))
    assert not is_told_again(known.lint(only=("schemas/order",)))
    for section, key, value in (("LINT", "USE", "strict"), ("LINT", "EXCEPT", "field-without-doc")):
        assert not is_told_again(known.lint(env={f"TREATY_{section}__{key}": value}))
    assert is_told_again(known.lint())


@pytest.mark.parametrize(
    "asked",
    [
        replace(RELEASES, judges_all=True),
        replace(RELEASES, proves=False),
        replace(RELEASES, base="feature"),
        replace(RELEASES, approvals=frozenset()),
        replace(RELEASES, names=("merge-base",), base="main"),
        replace(RELEASES, names=("git:main",)),
    ],
    ids=lambda asked: str(asked)[8:60],
)
def test_breaking_is_asked_anew_for_other_options(known: Remembering, asked: Against) -> None:
    first = known.breaking(asked)
    assert not is_told_again(first)
    assert known.breaking(asked) == first
    known.mark()
    assert is_told_again(known.breaking(asked))


def test_breaking_is_judged_anew_the_next_day(known: Remembering) -> None:
    assert not is_told_again(known.breaking(today=date(2026, 12, 2)))
    assert is_told_again(known.lint())


def main_moves(scratch: Scratch) -> None:
    """``feature`` begins later: what it brings is in ``main`` already."""
    scratch.commit()
    scratch.git("branch", "-f", "main")


def a_tag_moves(scratch: Scratch) -> None:
    scratch.git("commit", "-q", "--allow-empty", "-m", "other")
    scratch.git("tag", "-f", "schemas/v1.0.0")


GIT: dict[str, Callable[[Scratch], object]] = {
    "the merge base": main_moves,
    "a tag moves": a_tag_moves,
    "a tag more": lambda scratch: scratch.git("tag", "schemas/v1.1.0"),
    "a tag goes": lambda scratch: scratch.git("tag", "-d", "schemas/v1.0.0"),
    "no repository": lambda scratch: shutil.rmtree(scratch.root / ".git"),
}


@pytest.mark.parametrize("change", GIT)
def test_what_git_says_is_judged_anew_by_breaking_and_is_nothing_to_lint(known: Remembering, change: str) -> None:
    GIT[change](known.scratch)
    assert not is_told_again(known.breaking())
    assert is_told_again(known.lint())


def test_another_folder_and_another_commit_are_told_by_content(known: Remembering, tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(known.scratch.root / "schemas", older)
    folder, branch = Against(names=(f"dir:{older}",)), Against(names=("git:feature",))
    first = [known.breaking(folder), known.breaking(branch)]
    known.mark()
    assert [known.breaking(folder).findings, known.breaking(branch).findings] == [each.findings for each in first]
    assert is_told_again(known.breaking(folder))
    (older / "topics.toml").write_text(TOPICS, encoding="utf-8")
    known.scratch.commit()
    assert not is_told_again(known.breaking(folder))
    assert not is_told_again(known.breaking(branch))


def test_what_a_registry_said_is_not_kept(known: Remembering) -> None:
    with RegistryHttp("http://127.0.0.1:1") as registry:
        asked = replace(RELEASES, registry=registry, environment="prod")
        assert keys.of_breaking(known.settings(), asked, today=date(2026, 12, 1))() is None


@pytest.mark.parametrize("path", ["schemas/other.avsc", "schemas/releases/1.0.0/more.txt", "schemas/deep"])
def test_schemas_with_a_link_or_a_pipe_among_them_are_judged_each_time(known: Remembering, path: str) -> None:
    there = known.scratch.root / path
    there.symlink_to(known.scratch.root / "services")
    assert not is_told_again(known.lint())
    known.mark()
    assert not is_told_again(known.lint())
    there.unlink()
    os.mkfifo(there)
    assert not is_told_again(known.lint())
    there.unlink()
    assert is_told_again(known.lint())


def test_a_run_that_ends_with_a_fault_is_not_kept(known: Remembering) -> None:
    known.scratch.write("schemas/releases/1.0.0/set.json", "{}")
    for _ in range(2):
        with pytest.raises(UsageError, match="is not a released set"):
            known.breaking()
    with pytest.raises(UsageError, match="did you mean"):
        known.lint(rules=("field-without-dok",))


def test_what_changed_while_it_was_judged_is_not_kept(known: Remembering) -> None:
    schema, settings = known.scratch.root / "schemas/order/order_paid.avsc", known.settings()
    key = keys.of_lint(settings, rules=("field-without-doc",), only=())

    def judge() -> Outcome:
        schema.write_bytes(schema.read_bytes() + b"\n")
        return Outcome(findings=(), looked_at="judged", root=settings.root)

    assert checks.once(settings, known.drawer, key, judge).looked_at == "judged"
    assert checks.once(settings, known.drawer, key, lambda: Outcome(findings=(), looked_at="anew")).looked_at == "anew"


def test_code_that_changed_while_it_was_judged_is_not_kept(known: Remembering) -> None:
    code, settings = known.scratch.root / "services/order/handlers.py", known.settings()
    key = keys.of_lint(settings, rules=("field-without-doc",), only=())

    def judge() -> Outcome:
        code.write_text("x = 3\n", encoding="utf-8")
        return Outcome(findings=(), looked_at="judged", root=settings.root)

    checks.once(settings, known.drawer, key, judge)
    code.write_text("x = 1\n", encoding="utf-8")
    assert checks.once(settings, known.drawer, key, lambda: Outcome(findings=(), looked_at="anew")).looked_at == "anew"


def test_the_tools_own_files_are_part_of_the_question_and_byte_code_is_not(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "rule.py").write_text("a = 1\n", encoding="utf-8")
    (package / "rule.pyc").write_bytes(b"made of it")
    assert [name for name, _ in inputs.own_files(package)] == ["rule.py"]
    tops = [inputs.folder_of("treaty_avro"), inputs.folder_of("treaty_codegen")]
    names = {name for top in tops for name, _ in inputs.own_files(top)}
    assert {"finding.py", "zh.toml", "errors.py"} <= names
    with pytest.raises(inputs.Untold):
        inputs.folder_of("no_such_package")
