"""A registry whose database is lost comes back from git: the same ids, and old bytes are read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cases.markdown import ROOT
from treaty.cli import treaty
from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.baseline import RELEASES, release_folders, releases
from treaty.ops.evolution import GOLDEN
from treaty.ops.http import RegistryHttp
from treaty.ops.lockfile import LOCK, Applied, Lock, as_applied, read_lock, sha256
from treaty.ops.plan.registry import desired
from treaty.ops.rebuild import TextsMissing, backup_of, from_git
from treaty.ops.registry import plan_registry
from treaty.ops.restore import TargetDiffers
from treaty.ops.schemas import load_project
from treaty.registry.testing import registry
from treaty_codegen.golden import faults, read_golden

pytestmark = pytest.mark.long

SUBJECT = "order-events-mall.order.OrderPaid"


@pytest.fixture(scope="module")
def mall() -> Settings:
    return Settings.load(ROOT / "treaty.toml", {}, start=ROOT)


@pytest.fixture(scope="module")
def lived(mall: Settings) -> tuple[Lock, dict[str, dict[int, int]]]:
    """The lock of a registry that took every release and today's schemas, among others; and its ids by subject and number."""
    with registry() as url, RegistryHttp(url) as http:
        http.register("somebody-elses", '"int"')  # so that ids do not happen to be the same
        wanted = desired(load_project(mall), environment="local")
        by_event = {row.event: row.subject for row in wanted}
        for old in reversed(releases(mall.folder("schemas") / RELEASES)):
            for name, event in old.events.items():
                if name in by_event:
                    http.register(by_event[name], event.text)
        for row in wanted:
            http.register(row.subject, row.text)
        held = {
            row.subject: {
                number: http.call("GET", f"/subjects/{row.subject}/versions/{number}")
                for number in http.versions(row.subject)
            }
            for row in wanted
        }
    live = {
        subject: {
            number: Applied(id=body["id"], guid=body["guid"], sha256=sha256(body["schema"]))
            for number, body in versions.items()
        }
        for subject, versions in held.items()
    }
    ids = {subject: {number: row.id for number, row in rows.items()} for subject, rows in live.items()}
    return as_applied(Lock(), "local", live, held=live), ids


@pytest.fixture
def project(tmp_path: Path, lived: tuple[Lock, dict[str, dict[int, int]]], url: str) -> Path:
    """The mall's schemas in a folder of their own, with that lock, and ``url`` as the registry of ``local``."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    read = read_lock(tmp_path / "schemas")
    whole = Lock(release=read.release, events=read.events, environments=lived[0].environments)
    (tmp_path / "schemas" / LOCK).write_text(whole.text(), encoding="utf-8")
    told = f'[project]\nnamespace = "mall"\n[environment.local]\nregistry = "{url}"\n[environment.prod]\nregistry = "{url}"\n'
    (tmp_path / "treaty.toml").write_text(told, encoding="utf-8")
    return tmp_path


@pytest.fixture
def url() -> Iterator[str]:
    with registry() as url:
        yield url


def test_an_empty_registry_has_the_same_ids_again_and_old_golden_bytes_are_read(
    project: Path, url: str, lived: tuple[Lock, dict[str, dict[int, int]]]
) -> None:
    words = ["registry", "rebuild", "--env", "local", "--config", str(project / "treaty.toml")]
    done = CliRunner().invoke(treaty, words)
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    lock, ids = lived
    settings = Settings.load(project / "treaty.toml", {}, start=project)
    today = {row.event: row.text for row in desired(load_project(settings), environment="local")}
    with RegistryHttp(url) as http:
        found = {
            subject: {n: http.call("GET", f"/subjects/{subject}/versions/{n}")["id"] for n in http.versions(subject)}
            for subject in http.subjects()
        }
        assert found == ids
        by_text = {row.sha256: row.id for rows in lock.environments["local"].values() for row in rows.values()}
        written = {sha: http.call("GET", f"/schemas/ids/{each}")["schema"] for sha, each in by_text.items()}
        made, blocked = plan_registry(settings, http, environment="local")
        assert (made.steps, made.drift, blocked) == ((), (), ())
    read = [
        (line.event, list(faults(line, written=written[line.schema_sha256], today=today.get(line.event))))
        for release in release_folders(project / "schemas" / RELEASES)
        if (release / GOLDEN).is_file()
        for line in read_golden((release / GOLDEN).read_text(encoding="utf-8"))
        if line.case < 8
        and line.event in today  # all of them are read in tests/repository; here the schemas come from the registry
    ]
    assert read
    assert [each for each in read if each[1]] == []


def test_what_was_soft_deleted_comes_back_soft_deleted(project: Path, url: str) -> None:
    lock = read_lock(project / "schemas")
    rows = lock.environments["local"]
    subject = next(name for name, versions in rows.items() if len(versions) > 1)
    live = {name: dict(versions) for name, versions in rows.items()}
    gone = live[subject].pop(1)
    (project / "schemas" / LOCK).write_text(as_applied(lock, "local", live, held=live).text(), encoding="utf-8")
    words = ["registry", "rebuild", "--env", "local", "--config", str(project / "treaty.toml")]
    done = CliRunner().invoke(treaty, words)
    assert done.exit_code == 0, done.output
    assert "1 deleted" in done.stderr
    with RegistryHttp(url) as http:
        assert sorted(http.versions(subject)) == sorted(live[subject])
        assert sha256(http.call("GET", f"/schemas/ids/{gone.id}")["schema"]) == gone.sha256


def test_again_writes_nothing_and_a_dry_run_writes_nothing_either(project: Path, url: str) -> None:
    words = ["registry", "rebuild", "--config", str(project / "treaty.toml")]
    dry = CliRunner().invoke(treaty, [*words, "--dry-run"])
    assert "versions would be written, 0 there already" in dry.stderr
    with RegistryHttp(url) as http:
        assert http.subjects() == []
    assert CliRunner().invoke(treaty, words).exit_code == 0
    again = CliRunner().invoke(treaty, words)
    assert again.exit_code == 0
    assert again.stderr.startswith("0 versions written")
    assert again.stderr.endswith("0 deleted, 0 configs and modes set.\n")


def test_a_registry_that_gave_an_id_to_another_text_is_left_alone(project: Path, url: str) -> None:
    with RegistryHttp(url) as http:
        http.register(SUBJECT, '"string"')
        before = http.call("GET", "/schemas", kind=list)
        done = CliRunner().invoke(treaty, ["registry", "rebuild", "--config", str(project / "treaty.toml")])
        assert isinstance(done.exception, TargetDiffers)
        assert http.call("GET", "/schemas", kind=list) == before


def test_an_environment_that_nothing_was_applied_to_is_refused(project: Path) -> None:
    settings = Settings.load(project / "treaty.toml", {}, start=project)
    with pytest.raises(UsageError, match="The lock has no ids of prod; it has those of: local"):
        from_git(settings, read_lock(project / "schemas"), environment="prod")


def test_a_text_that_git_does_not_have_any_more_is_named() -> None:
    applied = {"s": {1: Applied(id=7, guid="", sha256=sha256("a")), 2: Applied(id=8, guid="", sha256=sha256("b"))}}
    with pytest.raises(TextsMissing, match="the text of s version 2"):
        backup_of(applied, [], {sha256("a"): "a"})


def test_another_lock_may_be_named(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "old.lock"
    (project / "schemas" / LOCK).rename(elsewhere)
    words = ["registry", "rebuild", "--dry-run", "--config", str(project / "treaty.toml")]
    assert isinstance(CliRunner().invoke(treaty, words).exception, UsageError)
    assert CliRunner().invoke(treaty, [*words, "--lock", str(elsewhere)]).exit_code == 0
    elsewhere.write_text("{", encoding="utf-8")
    assert "is not a lock" in str(CliRunner().invoke(treaty, [*words, "--lock", str(elsewhere)]).exception)
