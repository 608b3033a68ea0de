"""A hosting service for tests: the part of its API that comments and issues need, over real HTTP, on a port of this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cases.markdown import ROOT

REPOSITORY, BOT = "mall/events", "github-actions[bot]"
PROGRAM = ROOT / ".github/actions/treaty-review/hosting.py"


@dataclass
class Hosting:
    """What the service holds: pull requests, and comments and issues in the order in which they were written."""

    pulls: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    teams: dict[str, list[str]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    url: str = ""

    def open(self, number: int, *, owner: str = "mall", branch: str = "feature", sha: str = "c0ffee") -> None:
        """A pull request; another ``owner`` makes it a fork's."""
        head = {"sha": sha, "label": f"{owner}:{branch}", "repo": {"full_name": f"{owner}/events"}}
        self.pulls.append({"number": number, "head": head, "merged_at": None})

    def say(self, number: int, author: str, body: str) -> None:
        self.comments.append({"id": len(self.comments) + 1, "issue": number, "user": {"login": author}, "body": body})

    def bodies(self, author: str = BOT) -> list[str]:
        return [row["body"] for row in self.comments if row["user"]["login"] == author]

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Any:
        """What a request gets; None for a path that is not known."""
        if method != "GET":
            self.writes.append(f"{method} {path}")
        listed = self.listed(path, query) if method == "GET" else None
        if listed is not None:
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return listed[(page - 1) * size : page * size]
        if method == "POST" and (found := re.fullmatch(r"/issues/(\d+)/comments", path)):
            self.say(int(found[1]), BOT, body["body"])
            return self.comments[-1]
        if method == "POST" and path == "/issues":
            self.issues.append({"number": 100 + len(self.issues), "user": {"login": BOT}, "state": "open", **body})
            return self.issues[-1]
        if method == "PATCH":
            rows = {f"/issues/comments/{row['id']}": row for row in self.comments}
            rows |= {f"/issues/{row['number']}": row for row in self.issues}
            rows[path].update(body)
            return rows[path]
        return None

    def listed(self, path: str, query: dict[str, list[str]]) -> list[Any] | None:
        if path == "/pulls":
            return [row for row in self.pulls if row["head"]["label"] == query["head"][0]]
        if re.fullmatch(r"/commits/\w+/pulls", path):
            return [row for row in self.pulls if row["merged_at"]]
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            return [row for row in self.comments if row["issue"] == int(found[1])]
        if re.fullmatch(r"/pulls/\d+/reviews", path):
            return self.reviews
        if found := re.fullmatch(r"/orgs/mall/teams/([\w.-]+)/members", path):
            return [{"login": name} for name in self.teams.get(found[1], [])]
        if path == "/issues":
            return [row for row in self.issues if row["state"] == query["state"][0]]
        return None

    def run(self, *words: str, event: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        """The program as a job runs it."""
        told = {
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": "t",
            "GITHUB_SHA": "c0ffee",
            "GITHUB_EVENT_PATH": str(event or ""),
        }
        words = (sys.executable, str(PROGRAM), *words)
        return subprocess.run(words, env=told | env, capture_output=True, text=True, check=False, timeout=180)


@contextmanager
def hosting() -> Iterator[Hosting]:
    """Serves it in a thread."""
    held = Hosting()

    class Handler(BaseHTTPRequestHandler):
        def handle_all(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            assert self.headers["Authorization"] == "Bearer t"
            prefix = f"/repos/{REPOSITORY}"
            answer = held.answer(self.command, parts.path.removeprefix(prefix), parse_qs(parts.query), body)
            self.send_response(404 if answer is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_PATCH = handle_all  # noqa: N815  # the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, name="hosting", daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
