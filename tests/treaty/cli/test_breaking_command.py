"""``treaty breaking`` as a process, in repositories of every condition."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import EVENT, TOPICS, Scratch, changed, project
from treaty.ops.http import RegistryHttp
from treaty.registry.testing import registry

BROKEN = changed(order_id="string")
RELEASES = '[breaking]\nagainst = ["releases"]\n'


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A repository with one commit on ``main``."""
    made = project(tmp_path, toml=RELEASES)
    made.git("init", "-q")
    made.commit()
    return made


def change(scratch: Scratch, event: Mapping[str, object] = BROKEN) -> None:
    scratch.write("schemas/order/order_paid.avsc", event)


def test_an_unchanged_tree_is_clean_and_a_break_ends_with_1(scratch: Scratch) -> None:
    assert scratch.run("breaking", "--against", "git:main").code == 0
    change(scratch)
    done = scratch.run("breaking", "--against", "git:main")
    assert done.code == 1
    assert "schemas/order/order_paid.avsc:9:15 type-changed: type of `order_id` changed" in done.out
    assert done.err.startswith("Checked 1 event against git main: 4 errors")


def test_what_the_merge_base_already_has_is_information_until_all_is_judged(scratch: Scratch) -> None:
    scratch.run("release", "1.0.0")
    scratch.commit()
    change(scratch)
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "feature")
    done = scratch.run("breaking", "--against", "releases", "--format", "json")
    assert done.code == 0
    found = json.loads(done.out)["findings"]
    assert {row["severity"] for row in found} == {"info"}
    assert "type-changed" in {row["rule"] for row in found}
    assert scratch.run("breaking", "--against", "releases", "--all").code == 1
    change(scratch, changed(order_id="string", note=None))
    assert "error" in scratch.run("breaking", "--against", "releases").err.replace("0 errors", "")


def test_an_edited_release_is_told_by_its_tag_and_by_the_merge_base(scratch: Scratch) -> None:
    scratch.run("release", "1.0.0")
    scratch.commit()
    file = scratch.root / "schemas/releases/1.0.0/set.json"
    file.write_text(file.read_text().replace("For people.", "For all."))
    done = scratch.run("breaking", "--against", "releases")
    assert done.code == 1
    assert "schemas/releases/1.0.0/set.json:1:1 released-set-changed" in done.out
    assert "the merge base with main holds other bytes" in done.out
    scratch.git("tag", "schemas/v1.0.0")
    scratch.commit()
    done = scratch.run("breaking", "--against", "releases")
    assert "tag schemas/v1.0.0 holds other bytes" in done.out
    assert done.code == 1


def test_a_registry_is_an_old_side_and_is_asked_for_its_own_verdict(scratch: Scratch) -> None:
    with (scratch.root / "treaty.toml").open("a") as toml, registry() as url, RegistryHttp(url) as http:
        toml.write(f'[environment.prod]\nregistry = "{url}"\n')
        toml.flush()
        subject = "order-events-mall.order.OrderPaid"
        assert scratch.run("breaking", "--env", "prod").code == 0
        http.register(subject, json.dumps(EVENT))
        assert scratch.run("breaking", "--env", "prod").code == 0
        change(scratch)
        done = scratch.run("breaking", "--against", "registry", "--env", "prod")
        assert (done.code, "(against registry prod v1)" in done.out) == (1, True)
        assert "registry-disagrees" not in done.out
        assert http.versions(subject).keys() == {1}
    done = scratch.run("breaking", "--against", "registry", "--env", "prod")
    assert (done.code, "does not answer" in done.err) == (3, True)
    assert scratch.run("breaking", "--against", "registry").code == 2


def test_what_is_only_worth_a_look_ends_with_0(scratch: Scratch) -> None:
    change(scratch, EVENT | {"doc": "An order was paid."})
    done = scratch.run("breaking", "--against", "git:main", "--format", "json")
    assert done.code == 0
    assert [row["rule"] for row in json.loads(done.out)["findings"]] == ["doc-changed"]


def test_the_merge_base_is_where_the_branch_left_and_not_where_main_stands(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "-b", "feature")
    scratch.git("checkout", "-q", "main")
    change(scratch, changed(note=None))
    scratch.commit()
    scratch.git("checkout", "-q", "feature")
    assert scratch.run("breaking", "--against", "merge-base").code == 0
    assert scratch.run("breaking", "--against", "merge-base", "--base", "main").code == 0
    assert scratch.run("breaking", "--against", "merge-base", GITHUB_BASE_REF="main").code == 0
    change(scratch)
    done = scratch.run("breaking", "--against", "merge-base")
    assert (done.code, "merge base with main" in done.err) == (1, True)
    assert scratch.run("breaking", "--against", "merge-base", "--base", "nope").code == 2


@pytest.mark.parametrize(
    "ref", ["nope", "--output=x", "-h", "HEAD:../x", "HEAD:schemas", "main..main", "@{u}", "main^{tree}"]
)
def test_a_ref_that_is_no_commit_ends_with_2_and_does_nothing(scratch: Scratch, ref: str) -> None:
    before = sorted(path.name for path in scratch.root.iterdir())
    for words in (("--against", f"git:{ref}"), ("--against", "merge-base", f"--base={ref}")):
        done = scratch.run("breaking", *words)
        assert done.code == 2, done
        assert "next: " in done.err
    assert sorted(path.name for path in scratch.root.iterdir()) == before


@pytest.mark.parametrize("what", ["git:", "dir:", "head", ""])
def test_an_unknown_kind_of_old_side_ends_with_2(scratch: Scratch, what: str) -> None:
    done = scratch.run("breaking", "--against", what)
    assert (done.code, "say merge-base, releases, registry, git:REF or dir:PATH" in done.err) == (2, True)


def test_without_a_repository_only_git_is_refused(tmp_path: Path) -> None:
    scratch = project(tmp_path, toml=RELEASES)
    assert scratch.run("breaking").code == 0
    done = scratch.run("breaking", "--against", "git:main", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert (done.code, "is in no git repository" in done.err) == (2, True)


def test_an_unborn_repository_ends_with_2(tmp_path: Path) -> None:
    scratch = project(tmp_path)
    scratch.git("init", "-q")
    for words in ((), ("--against", "git:HEAD"), ("--against", "git:main")):
        done = scratch.run("breaking", *words)
        assert (done.code, "no commit yet" in done.err, "next: commit first" in done.err) == (2, True, True)


def test_a_bare_repository_ends_with_2(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> None:
    bare = tmp_path_factory.mktemp("bare")
    scratch.git("clone", "-q", "--bare", str(scratch.root), str(bare / "x.git"))
    inside = project(bare / "x.git", toml=RELEASES)
    assert inside.run("breaking", "--against", "git:main").code == 2


def test_without_git_it_ends_with_3(scratch: Scratch, tmp_path: Path) -> None:
    done = scratch.run("breaking", "--against", "git:main", PATH=str(tmp_path / "empty"))
    assert (done.code, "git is not installed" in done.err) == (3, True)
    assert scratch.run("breaking", PATH=str(tmp_path / "empty")).code == 0


@pytest.fixture
def shallow(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A clone of depth 1, with a release, whose older commits are missing."""
    scratch.git("tag", "old")
    assert scratch.run("release", "1.0.0").code == 0
    scratch.commit()
    clone = tmp_path_factory.mktemp("clone") / "shallow"
    scratch.git("clone", "-q", "--depth", "1", "--no-tags", f"file://{scratch.root}", str(clone))
    return Scratch(clone)


def test_a_shallow_clone_that_lacks_the_commit_ends_with_3(shallow: Scratch) -> None:
    for words in (("--against", "git:old"), ("--against", "git:HEAD~1"), ("--against", "merge-base", "--base", "old")):
        done = shallow.run("breaking", *words)
        assert (done.code, "git fetch --unshallow" in done.err) == (3, True), done


def test_releases_give_the_same_verdict_in_a_shallow_clone_and_without_git(shallow: Scratch, scratch: Scratch) -> None:
    verdicts = []
    for place in (scratch, shallow):
        change(place)
        verdicts.append(place.run("breaking", "--format", "json"))
    shutil.rmtree(shallow.root / ".git")
    verdicts.append(shallow.run("breaking", "--format", "json"))
    assert {done.code for done in verdicts} == {1}
    assert len({done.out for done in verdicts}) == 1
    assert {row["against"] for row in json.loads(verdicts[0].out)["findings"]} == {"release 1.0.0"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"version": "1.0.0", "events": {"a.B": {"text": 1}}}',
        '{"version": "1.0.0", "events": {"a.B": {"x": ""}}}',
    ],
)
def test_a_damaged_release_ends_with_2(scratch: Scratch, text: str) -> None:
    scratch.write("schemas/releases/1.0.0/set.json", text)
    done = scratch.run("breaking")
    assert (done.code, "is not a released set" in done.err) == (2, True)


def test_a_release_whose_text_does_not_parse_ends_with_2(scratch: Scratch) -> None:
    event = {"text": "{", "topic": "order-events", "key": "order_id", "level": "FULL", "version": "1.0.0"}
    scratch.write("schemas/releases/1.0.0/set.json", {"version": "1.0.0", "events": {"mall.order.OrderPaid": event}})
    done = scratch.run("breaking")
    assert (done.code, "An old version cannot be compared with: release 1.0.0" in done.err) == (2, True)


def test_a_broken_tree_ends_with_1_and_points_to_lint(scratch: Scratch) -> None:
    scratch.write("schemas/order/order_paid.avsc", "{")
    done = scratch.run("breaking")
    assert (done.code, "next: treaty lint" in done.err) == (1, True)


def test_a_commit_that_was_broken_cannot_be_compared_with(scratch: Scratch) -> None:
    scratch.write("schemas/order/order_paid.avsc", "{")
    broken = scratch.commit()
    change(scratch, EVENT)
    done = scratch.run("breaking", "--against", f"git:{broken}")
    assert (done.code, "cannot be compared with" in done.err) == (2, True)


def test_schemas_outside_the_repository_end_with_2(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = project(tmp_path_factory.mktemp("elsewhere"))
    scratch.write("treaty.toml", f'[project]\nnamespace = "mall"\nschemas = "{elsewhere.root}/schemas"\n')
    done = scratch.run("breaking", "--against", "git:main")
    assert (done.code, "lies outside the repository" in done.err) == (2, True)


def test_a_folder_is_compared_with_and_a_missing_one_refused(scratch: Scratch) -> None:
    shutil.copytree(scratch.root / "schemas", scratch.root / "before")
    change(scratch)
    assert scratch.run("breaking", "--against", "dir:before").code == 1
    assert scratch.run("breaking", "--against", "dir:nowhere").code == 2


def test_a_slip_in_the_settings_ends_with_2(tmp_path: Path) -> None:
    done = project(tmp_path, toml='[breaking]\nuse = ["meanng"]\nagainst = ["releases"]\n').run("breaking")
    assert (done.code, "did you mean `meaning`" in done.err) == (2, True)


def test_a_hostile_repository_executes_nothing(scratch: Scratch) -> None:
    canary = scratch.root / "canary"
    evil = scratch.write("evil.sh", f"#!/bin/sh\ntouch {canary}\n")
    evil.chmod(0o755)
    scratch.write(".gitattributes", "*.avsc filter=x diff=x\n")
    scratch.commit()
    for name in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "diff.external",
        "diff.x.textconv",
        "filter.x.smudge",
        "filter.x.clean",
        "filter.x.process",
        "core.alternateRefsCommand",
        "credential.helper",
    ):
        scratch.git("config", name, str(evil))
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        scratch.write(f".git/hooks/{hook}", evil.read_text(encoding="utf-8")).chmod(0o755)
    scratch.write("click.py", f"open({str(canary)!r}, 'w').close()\n")
    change(scratch)
    canary.unlink(missing_ok=True)  # our own git commands above are not the ones that are tested
    assert scratch.script("breaking", "--against", "git:main").code == 1
    assert scratch.script("breaking", "--against", "merge-base").code == 1
    assert not canary.exists()


def test_an_event_that_is_gone_needs_a_tombstone(scratch: Scratch) -> None:
    scratch.write("schemas/order/order_shipped.avsc", EVENT | {"name": "OrderShipped"})
    scratch.write("schemas/topics.toml", TOPICS.replace("OrderPaid", "OrderShipped"))
    (scratch.root / "schemas/order/order_paid.avsc").unlink()
    assert scratch.run("breaking", "--against", "git:main").code == 1
    tomb = '[[removed]]\nevent = "mall.order.OrderPaid"\ntopic = "order-events"\nreason = "unused"\napproved_by = "@mall/orders"\n'
    scratch.write("schemas/topics.toml", f"{TOPICS.replace('OrderPaid', 'OrderShipped')}{tomb}")
    assert scratch.run("breaking", "--against", "git:main").code == 0


def test_a_base_that_git_does_not_know_is_refused_even_where_none_is_needed(scratch: Scratch) -> None:
    """A runner's variable may name a branch that its clone lacks; what a person types is meant."""
    scratch.commit()
    words = ("breaking", "--against", "releases")
    done = scratch.run(*words, "--base", "mian")
    assert (done.code, "did you mean `main`?" in done.err, "leave --base out" in done.err) == (2, True, True)
    assert scratch.run("ci", "--only", "breaking", "--base", "mian").code == 2
    assert scratch.run(*words, "--base", "main").code == 0
    assert scratch.run(*words, GITHUB_BASE_REF="mian").code == 0
