"""What plan and apply share on the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import TOPICS, Scratch, project
from treaty.cli import plans
from treaty.errors import EnvironmentFault
from treaty.ops.http import RegistryHttp
from treaty.ops.plan import Drift, Plan, Step
from treaty.registry.testing import registry


def plan(count: int) -> Plan:
    steps = tuple(Step(id=n, action="register", subject=f"s{n}", before=None, after={}) for n in range(1, count + 1))
    return Plan(
        kind="registry",
        environment="prod",
        target="h",
        git_commit="",
        desired_sha256="",
        actual_sha256="",
        steps=steps,
        drift=(),
    )


def test_a_failure_names_what_is_done_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    made = plan(3)

    def applied() -> None:
        with plans.progress(made) as told:
            told(made.steps[0], "id 1")
            raise EnvironmentFault("gone")

    with pytest.raises(EnvironmentFault):
        applied()
    out, err = capsys.readouterr()
    assert out.split() == ["1", "register", "s1", "id", "1"]
    first, *left = err.splitlines()
    assert first == "1 of 3 steps done; left:"
    assert [line.split() for line in left] == [["2", "register", "s2"], ["3", "register", "s3"]]


def test_no_name_of_a_plan_is_obeyed_or_makes_a_row_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    new, old = "group x\x1b[2J\n::set-output name=findings::0", "group x ##[set-output name=findings]0"
    right = {"operations": ["READ"]}
    steps = tuple(
        Step(id=n, action="allow", subject=name, before=None, after=right) for n, name in enumerate((new, old), start=1)
    )
    made = replace(plan(0), steps=steps, drift=(Drift(subject=new, what=old),))
    plans.show(made)

    def applied() -> None:
        with plans.progress(made) as told:
            told(steps[0], old)
            raise EnvironmentFault("gone")

    with pytest.raises(EnvironmentFault):
        applied()
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), len(err.splitlines())) == (2 + 1 + 1, 1 + 1 + 1), "a row each, and the sums"
    assert "\x1b" not in out + err
    assert "##[" not in out + err


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = project(tmp_path, toml='[environment.prod]\nregistry = "http://localhost:1"\nbrokers = "localhost:1"\n')
    assert made.run("release", "1.0.0").code == 0
    return made


def test_topics_of_an_environment_that_nobody_names_are_not_listed(tmp_path: Path) -> None:
    scratch = project(tmp_path)
    scratch.write("schemas/topics.toml", TOPICS + 'retention = { prod = "24h", "*" = "1h" }\n')
    assert "retention.ms=86400000" in scratch.run("topics", "list", "--env", "prod").out
    assert "retention.ms=3600000" in scratch.run("topics", "list").out
    done = scratch.run("topics", "list", "--env", "prd")
    assert (done.code, done.out) == (2, "")
    assert "names an environment `prd`: did you mean `prod`?" in done.err


def test_nothing_is_applied_without_a_person_or_yes_and_a_plan_of_the_other_kind_is_refused(scratch: Scratch) -> None:
    with registry() as url, RegistryHttp(url) as http:
        env = {"TREATY_ENVIRONMENT_PROD__REGISTRY": url}
        assert scratch.run("registry", "plan", "--env", "prod", "--out", "plan.json", cwd=None, **env).code == 0
        asked = scratch.run("registry", "apply", "plan.json", cwd=None, **env)
        assert (asked.code, "say --yes" in asked.err, http.subjects()) == (2, True, [])
        other = scratch.run("topics", "apply", "plan.json", "--yes")
        assert (other.code, "next: treaty registry apply plan.json" in other.err) == (2, True)
        scratch.write("schemas/schemas.lock", "{")
        torn = scratch.run("registry", "apply", "plan.json", "--yes", cwd=None, **env)
        assert (torn.code, "is not a lock" in torn.err, http.subjects()) == (2, True, []), "before anything is changed"
        kept = scratch.run("registry", "apply", "plan.json", "--yes", "--no-lock", cwd=None, **env)
        assert (kept.code, (scratch.root / "schemas/schemas.lock").read_text()) == (0, "{")


def test_a_registry_that_goes_away_ends_with_3_and_the_same_plan_continues(scratch: Scratch) -> None:
    with registry() as url:
        env = {"TREATY_ENVIRONMENT_PROD__REGISTRY": url}
        assert scratch.run("registry", "plan", "--env", "prod", "--out", "plan.json", cwd=None, **env).code == 0
    gone = scratch.run("registry", "apply", "plan.json", "--yes", cwd=None, **env)
    assert (gone.code, "0 of 2 steps done; left:" in gone.err) == (3, True)
    with registry(port=int(url.rpartition(":")[2])) as again:
        assert again == url
        assert scratch.run("registry", "apply", "plan.json", "--yes", cwd=None, **env).code == 0
