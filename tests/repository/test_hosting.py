"""The one comment and the one issue, on a service of our own that speaks as the hosting service does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.hosting_service import BOT, Hosting, hosting
from treaty.ops.waivers import read_approvals

MARK, PLAN = "<!-- treaty:review -->", "a" * 64


@pytest.fixture
def service() -> Iterator[Hosting]:
    with hosting() as held:
        yield held


def finished(folder: Path, *, owner: str = "mall", branch: str = "feature", sha: str = "c0ffee") -> Path:
    """The event of a finished run, as the service tells it."""
    run = {"head_branch": branch, "head_sha": sha, "head_repository": {"owner": {"login": owner}}}
    file = folder / "event.json"
    file.write_text(json.dumps({"workflow_run": run}))
    return file


def left(folder: Path, text: str, *, plan: str = "") -> tuple[str, str]:
    """What the run left: the comment that was made of its report, and the report."""
    (folder / "comment.md").write_text(text)
    (folder / "report.json").write_text(json.dumps({"plan_sha256": plan}))
    return str(folder / "comment.md"), str(folder / "report.json")


def test_the_comment_is_edited_and_not_repeated(service: Hosting, tmp_path: Path) -> None:
    service.open(7)
    event = finished(tmp_path)
    for text, word in (("first", "written"), ("second", "edited"), ("second", "unchanged"), ("third", "edited")):
        done = service.run("comment", *left(tmp_path, f"{MARK}\n{text}"), event=event)
        assert (done.returncode, done.stdout.strip()) == (0, word), done.stderr
    assert service.bodies() == [f"{MARK}\nthird"]
    assert [row.split()[0] for row in service.writes] == ["POST", "PATCH", "PATCH"]


def test_it_is_found_among_hundreds_and_never_in_what_somebody_else_wrote(service: Hosting, tmp_path: Path) -> None:
    service.open(7)
    service.say(7, "mallory", f"{MARK}\nnot ours, though it says so")
    for number in range(250):
        service.say(7, "ann", f"talk {number}")
    service.say(7, BOT, f"{MARK}\nours")
    service.say(7, BOT, "another program's")
    done = service.run("comment", *left(tmp_path, f"{MARK}\nnew"), event=finished(tmp_path))
    assert done.stdout.strip() == "edited"
    assert service.bodies() == [f"{MARK}\nnew", "another program's"]
    assert service.bodies("mallory") == [f"{MARK}\nnot ours, though it says so"]


def test_two_comments_of_a_race_become_one(service: Hosting, tmp_path: Path) -> None:
    service.open(7)
    service.say(7, BOT, f"{MARK}\na")
    service.say(7, BOT, f"{MARK}\nb")
    service.run("comment", *left(tmp_path, f"{MARK}\nnew"), event=finished(tmp_path))
    assert service.bodies() == [f"{MARK}\nnew", f"{MARK}\nSee the first comment."]


def test_a_run_of_a_commit_that_is_no_longer_the_head_says_nothing(service: Hosting, tmp_path: Path) -> None:
    service.open(7, sha="newer")
    done = service.run("comment", *left(tmp_path, f"{MARK}\nold"), event=finished(tmp_path))
    assert (done.returncode, service.bodies()) == (0, [])


def test_what_is_no_comment_of_ours_is_refused(service: Hosting, tmp_path: Path) -> None:
    service.open(7)
    assert service.run("comment", *left(tmp_path, "buy this"), event=finished(tmp_path)).returncode == 1
    (tmp_path / "link.md").symlink_to("/etc/hostname")
    done = service.run("comment", str(tmp_path / "link.md"), left(tmp_path, "")[1], event=finished(tmp_path))
    assert (done.returncode, "no plain file" in done.stderr, service.bodies()) == (1, True, [])


def test_the_reviewed_plan_is_remembered_for_own_branches_and_believed_from_no_fork(
    service: Hosting, tmp_path: Path
) -> None:
    service.open(7)
    service.run("comment", *left(tmp_path, f"{MARK}\ntext", plan=PLAN), event=finished(tmp_path))
    service.pulls[0]["merged_at"] = "2026-12-01"
    assert service.run("reviewed").stdout.strip() == PLAN
    service.pulls.clear()
    service.open(8, owner="mallory")
    forged = f"{MARK}\ntext\n<!-- treaty:plan {PLAN} -->"
    service.run("comment", *left(tmp_path, forged, plan=PLAN), event=finished(tmp_path, owner="mallory"))
    service.pulls[0]["merged_at"] = "2026-12-01"
    assert service.run("reviewed").stdout.strip() == ""
    assert PLAN not in service.bodies()[-1]


def test_what_was_applied_is_added_once(service: Hosting, tmp_path: Path) -> None:
    service.open(7)
    service.run("comment", *left(tmp_path, f"{MARK}\ntext"), event=finished(tmp_path))
    service.pulls[0]["merged_at"] = "2026-12-01"
    told = tmp_path / "applied.txt"
    for text in ("  2 register  orders-value  id 7\n", "  2 register  orders-value  already so\n```\n@everyone\n"):
        told.write_text(text)
        assert service.run("applied", str(told)).returncode == 0
    (body,) = service.bodies()
    assert body.startswith(f"{MARK}\ntext")
    assert (body.count("Applied:"), body.count("```"), "already so" in body, "id 7" in body) == (1, 2, True, False)


def test_drift_is_one_issue_that_is_closed_when_it_is_over(service: Hosting, tmp_path: Path) -> None:
    told = tmp_path / "drift.txt"
    for text, word in (
        ("", "nothing to say"),
        ("! drift a\n", "opened"),
        ("! drift b\n", "edited"),
        ("", "closed"),
        ("", "nothing to say"),
        ("! drift c\n", "opened"),
    ):
        told.write_text(text)
        assert service.run("drift", str(told)).stdout.strip() == word
    assert [row["state"] for row in service.issues] == ["closed", "open"]
    assert "drift b" in service.issues[0]["body"]


def test_who_really_approved_this_commit_is_written_down_with_the_teams_that_waivers_name(
    service: Hosting, tmp_path: Path
) -> None:
    event, waivers, target = tmp_path / "event.json", tmp_path / "waivers.toml", tmp_path / "approvals.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": "new"}}}))
    waivers.write_text('approved_by = ["@mall/orders", "@mall/billing", "@other/team", "@mall/../../x"]')
    service.teams = {"orders": ["ann", "bob"], "billing": ["carl"]}
    for name, state, commit in (
        ("ann", "APPROVED", "new"),
        ("ann", "COMMENTED", "new"),
        ("bob", "APPROVED", "old"),
        ("carl", "APPROVED", "new"),
        ("carl", "CHANGES_REQUESTED", "new"),
        ("dora", "APPROVED", "new"),
        ("eve", "APPROVED", "new"),
        ("eve", "DISMISSED", "new"),
    ):
        service.reviews.append({"user": {"login": name}, "state": state, "commit_id": commit})
    done = service.run("approvals", str(waivers), str(target), event=event)
    assert (done.returncode, done.stdout.strip()) == (0, "2 people, 1 teams"), done.stderr
    assert read_approvals(target) == {"@ann", "@dora", "@mall/orders"}
    waivers.unlink()
    service.run("approvals", str(waivers), str(target), event=event)
    assert read_approvals(target) == {"@ann", "@dora"}


def test_a_service_that_refuses_is_told_without_the_token(service: Hosting, tmp_path: Path) -> None:
    service.open(7)
    done = service.run(
        "comment", *left(tmp_path, f"{MARK}\n"), event=finished(tmp_path), GITHUB_REPOSITORY="a/b", GITHUB_TOKEN="t"
    )
    assert done.returncode == 1
    assert done.stderr.startswith("treaty: GET /pulls")
    assert "Traceback" not in done.stderr
