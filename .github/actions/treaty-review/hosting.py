"""What treaty says on the hosting service: one comment on a pull request, edited in place, and one issue for drift.

Standard library only: it runs beside whatever a project has installed. What it is told comes from the environment of a job
(``GITHUB_*``) and from files that other jobs made; those are texts to be shown, and nothing in them decides where they are shown.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "<!-- treaty:review -->"
DRIFT_MARK = "<!-- treaty:drift -->"
REVIEWED = re.compile(r"<!-- treaty:plan ([0-9a-f]{64}) -->")
APPLIED = re.compile(r"\n<!-- treaty:applied -->.*?<!-- /treaty:applied -->\n", re.DOTALL)
TEAM = re.compile(r"[\"']@([\w.-]+)/([\w.-]+)[\"']", re.ASCII)
LONGEST = 65_536
PAGE = 100
TIMEOUT_SECONDS = 30
BOT = "github-actions[bot]"
DRIFT_TITLE = "The registry is not what git says"


class Refused(Exception):
    """The hosting service cannot be told."""


@dataclass(frozen=True)
class Service:
    """The API of one repository, and whose comments are ours."""

    api: str
    repository: str
    token: str
    author: str = BOT

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request to ``/repos/OWNER/NAME`` + path, or to ``/orgs/…`` itself; the answer's JSON. Raises ``Refused``."""
        place = path if path.startswith("/orgs/") else f"/repos/{self.repository}{path}"
        request = urllib.request.Request(  # noqa: S310  # the service's own address, from the job
            f"{self.api}{place}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # as said above
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code}") from error
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            raise Refused(f"{method} {path}: {error}") from error

    def pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        """Every row of a list."""
        number = 1
        while True:
            sign = "&" if "?" in path else "?"
            rows = self.call("GET", f"{path}{sign}per_page={PAGE}&page={number}")
            yield from rows
            if len(rows) < PAGE:
                return
            number += 1

    def is_ours(self, row: Mapping[str, Any], mark: str) -> bool:
        """Whether we wrote it: the mark alone can be written by anybody."""
        author = (row.get("user") or {}).get("login")
        return author == self.author and str(row.get("body") or "").startswith(mark)


def pull_request(service: Service, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The open pull request whose head a finished run looked at; None where it has moved on, or there is none.

    By the commit that the service says it ran on: what the run left behind is not asked.
    """
    run = event["workflow_run"]
    head = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    found = service.pages(f"/pulls?state=open&head={urllib.parse.quote(head, safe='')}")
    return next((row for row in found if row["head"]["sha"] == run["head_sha"]), None)


def is_own(row: Mapping[str, Any], repository: str) -> bool:
    """Whether a pull request comes from a branch of the repository itself: only then its job could ask a registry."""
    return ((row["head"].get("repo") or {}).get("full_name")) == repository


def say(service: Service, number: int, text: str) -> str:
    """Edits our comment on a pull request, or writes the first; doubles of an earlier race are removed. What was done, in a word."""
    path = f"/issues/{number}/comments"
    ours = [row for row in service.pages(path) if service.is_ours(row, MARK)]
    if not ours:
        service.call("POST", path, {"body": text})
        return "written"
    for double in ours[1:]:
        service.call("PATCH", f"/issues/comments/{double['id']}", {"body": f"{MARK}\nSee the first comment."})
    if ours[0]["body"] == text:
        return "unchanged"
    service.call("PATCH", f"/issues/comments/{ours[0]['id']}", {"body": text})
    return "edited"


def comment(service: Service, event: Mapping[str, Any], file: Path, report: Path) -> str:
    """The comment of a finished run. A hash of the reviewed plan is added only for branches of the repository itself."""
    found = pull_request(service, event)
    if found is None:
        return "no open pull request has this commit at its head"
    text = read(file)
    if not text.startswith(MARK):
        raise Refused(f"{file} is no comment of treaty")
    plan = str(json.loads(read(report)).get("plan_sha256", ""))
    if is_own(found, service.repository) and re.fullmatch("[0-9a-f]{64}", plan):
        text = f"{REVIEWED.sub('', text)}\n<!-- treaty:plan {plan} -->\n"
    else:
        text = REVIEWED.sub("", text)
    return say(service, int(found["number"]), text)


def merged(service: Service, commit: str) -> tuple[int, str] | None:
    """Number and comment of the pull request that a commit of the main branch came from."""
    for row in service.pages(f"/commits/{commit}/pulls"):
        if row.get("merged_at"):
            ours = (each for each in service.pages(f"/issues/{row['number']}/comments") if service.is_ours(each, MARK))
            return int(row["number"]), str(next(ours, {}).get("body", ""))
    return None


def reviewed(service: Service, commit: str) -> str:
    """The hash of the steps that reviewers saw before they merged; "" where nobody saw any."""
    found = merged(service, commit)
    plan = REVIEWED.search(found[1]) if found is not None else None
    return plan[1] if plan is not None else ""


def applied(service: Service, commit: str, told: Path) -> str:
    """Adds what an apply did to the comment of the pull request that was merged."""
    found = merged(service, commit)
    if found is None or not found[1].startswith(MARK):
        return "no pull request with a review belongs to this commit"
    text = read(told).replace("```", "'''")[:20_000]
    block = f"\n<!-- treaty:applied -->\nApplied:\n\n```text\n{text}```\n<!-- /treaty:applied -->\n"
    return say(service, found[0], (APPLIED.sub("", found[1]) + block)[:LONGEST])


def drift(service: Service, told: Path) -> str:
    """One open issue while there is drift (a file that is not empty), closed when there is none."""
    text = read(told).replace("```", "'''")[:20_000]
    ours = next(
        (row for row in service.pages("/issues?state=open&labels=drift") if service.is_ours(row, DRIFT_MARK)), None
    )
    body = f"{DRIFT_MARK}\n`treaty registry plan` says:\n\n```text\n{text}```\n"
    if text.strip():
        if ours is None:
            service.call("POST", "/issues", {"title": DRIFT_TITLE, "body": body, "labels": ["drift"]})
            return "opened"
        service.call("PATCH", f"/issues/{ours['number']}", {"body": body})
        return "edited"
    if ours is not None:
        service.call("PATCH", f"/issues/{ours['number']}", {"state": "closed", "state_reason": "completed"})
        return "closed"
    return "nothing to say"


def approvals(service: Service, event: Mapping[str, Any], waivers: Path, target: Path) -> str:
    """Writes who approved the head of a pull request: people, and the teams of waivers that one of them is in.

    An approval of an older commit is none of this one, and the last word of each person counts. Reading teams takes a token of
    the organisation.
    """
    pull = event["pull_request"]
    last: dict[str, str] = {}
    for row in service.pages(f"/pulls/{pull['number']}/reviews"):
        if row["state"] != "COMMENTED" and row.get("user"):
            last[row["user"]["login"]] = row["state"] if row["commit_id"] == pull["head"]["sha"] else "OLD"
    people = {name for name, state in last.items() if state == "APPROVED"}
    owner = service.repository.partition("/")[0]
    named = set(TEAM.findall(read(waivers))) if waivers.exists() else set()
    teams = {
        f"@{owner}/{team}"
        for org, team in named
        if org.lower() == owner.lower()
        and any(member["login"] in people for member in service.pages(f"/orgs/{owner}/teams/{team}/members"))
    }
    target.write_text(json.dumps({"approved_by": sorted({f"@{name}" for name in people} | teams)}))
    return f"{len(people)} people, {len(teams)} teams"


def read(file: Path) -> str:
    """A text of another job; raises ``Refused`` for what is too long or no plain file."""
    if file.is_symlink() or not file.is_file() or file.stat().st_size > 4_000_000:
        raise Refused(f"{file} is no plain file of a length that is ours")
    return file.read_text(encoding="utf-8", errors="replace")


def main(words: list[str], env: Mapping[str, str]) -> str:
    """``comment FILE REPORT``, ``reviewed``, ``applied FILE``, ``drift FILE`` or ``approvals WAIVERS FILE``; what came of it."""
    service = Service(env["GITHUB_API_URL"], env["GITHUB_REPOSITORY"], env["GITHUB_TOKEN"], env.get("TREATY_BOT", BOT))
    what, *files = words
    paths = [Path(name) for name in files]

    def event() -> Mapping[str, Any]:
        told: Mapping[str, Any] = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return told

    commands: Mapping[str, Callable[[], str]] = {
        "comment": lambda: comment(service, event(), *paths),
        "reviewed": lambda: reviewed(service, env["GITHUB_SHA"]),
        "applied": lambda: applied(service, env["GITHUB_SHA"], *paths),
        "drift": lambda: drift(service, *paths),
        "approvals": lambda: approvals(service, event(), *paths),
    }
    return commands[what]()


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:], os.environ))
    except Refused as error:
        sys.exit(f"treaty: {error}")
