"""The mall as a company: every server and service of the local stack as a real process, on ports and topics of its own.

Laws. 1. What a test finds out it asks from outside: HTTP, the services' tables, the topics. 2. Killed parts are started again
on the same ports and the same data.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from tests.e2e.lags import Lags, Silent
from tests.parts.waiting import wait_until
from treaty.config import Settings
from treaty.local.keys import Keys, keys_in
from treaty.local.layout import Database, Layout, ports_for
from treaty.local.machine import Machine
from treaty.local.part import Part
from treaty.local.ports import LOOPBACK
from treaty.local.program import Program
from treaty.local.services import database_url
from treaty.local.stack import Stack, answers, running_stack
from treaty.local.view import View
from treaty.ops.schemas import load_project
from treaty.ops.services import groups_of, left_out, started
from treaty_runtime.admin import ClusterRefused, ClusterUnreachable

ROOT = Path(__file__).resolve().parents[2]
ADMIN = 1
START_SECONDS, ANSWER_SECONDS = 300.0, 120.0
SETTLE_SECONDS = 480.0
"""A group waits ten seconds for a member that was killed, a relay ten for the lanes of one; a machine with fifty processes that want
its two cores takes its time. These are for what hangs.
"""


@dataclass(kw_only=True)
class Company:
    """A running stack and how to ask it; users are numbered so that no two tests share one."""

    stack: Stack
    keys: Keys
    settings: Settings
    http: httpx.Client
    lags: Lags
    _users: Iterator[int] = field(default_factory=lambda: count(1_000))

    @property
    def layout(self) -> Layout:
        """Ports, addresses, folders."""
        return self.stack.layout

    # -- over HTTP

    def url(self, service: str) -> str:
        """Address of a service; the loopback address, because `localhost` may be tried as IPv6 first."""
        return f"http://{LOOPBACK}:{self.layout.ports[service]}"

    def new_user(self) -> int:
        """A user that no other test knows."""
        return next(self._users)

    def token(self, user: int, *, is_admin: bool = False) -> str:
        """A bearer token."""
        return self.keys.token(user, now=datetime.now(UTC), is_admin=is_admin)

    def call(self, service: str, method: str, path: str, *, user: int = 0, **rest: Any) -> httpx.Response:
        """The answer of a service to a request; user 1 is the admin, 0 nobody. Raises httpx.TransportError without one."""
        headers = dict(rest.pop("headers", {}))
        if user:
            headers["Authorization"] = f"Bearer {self.token(user, is_admin=user == ADMIN)}"
        return self.http.request(method, f"{self.url(service)}{path}", headers=headers, **rest)

    def readiness(self, service: str) -> tuple[int, dict[str, Any]]:
        """Status and body of `/readyz`; status 0 while nobody listens."""
        try:
            answer = self.http.get(f"{self.url(service)}/readyz")
        except httpx.TransportError:
            return 0, {}
        return answer.status_code, answer.json()

    def is_well(self, service: str) -> bool:
        """Whether a service is ready and waits for nothing."""
        status, body = self.readiness(service)
        states = [*body.get("groups", {}).values(), *(body.get(name) for name in ("database", "kafka", "schemas"))]
        return status == 200 and all(state == "ok" for state in states)

    def metric(self, service: str, name: str, **labels: str) -> float:
        """Sum of a metric's samples that have these labels."""
        text = self.http.get(f"{self.url(service)}/metrics").text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(
            sample.value
            for sample in samples
            if sample.name == name and all(sample.labels.get(key) == value for key, value in labels.items())
        )

    # -- tables and topics

    def rows(self, service: str, sql: str, **values: object) -> Sequence[Any]:
        """Rows of a service's own database, read from outside; ``:name`` in the query stands for a value."""
        url = sqlalchemy.make_url(database_url(service, self.layout))
        if self.layout.database == "postgres":
            url = url.update_query_dict({"options": f"-csearch_path=mall_{service}"})
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            return connection.execute(sqlalchemy.text(sql), values).all()

    def behind(self) -> dict[str, int]:
        """Groups that have records left, and how many; services whose outbox holds rows; or why Kafka did not say."""
        try:
            left = self.lags.left(self._groups)
        except (ClusterRefused, ClusterUnreachable, Silent) as fault:
            return {str(fault): 1}
        for service in ("order", "goods", "chat", "user", "payment", "notification"):
            left[f"outbox of {service}"] = self.rows(service, "SELECT count(*) FROM outbox")[0][0]
        return {name: number for name, number in left.items() if number}

    @cached_property
    def _groups(self) -> dict[str, list[str]]:
        """Consumer groups and their topics, read once: they stay as they are while the company runs, and every look needs them."""
        groups = groups_of(load_project(self.settings), without=self.layout.left_out)
        groups["notification-push-notification-local"] = ["user.notifications"]
        return groups

    def settle(self, deadline: float = SETTLE_SECONDS) -> None:
        """Wait until every service is well, every outbox empty and every group has handled all there is."""
        wait_until(lambda: all(map(self.is_well, self.layout.services)), deadline)
        wait_until(lambda: not self.behind(), deadline)

    # -- parts

    def part(self, name: str) -> Part:
        """A server or service of the stack."""
        return next(part for part in self.stack.parts if part.name == name)

    def kill(self, name: str) -> None:
        """SIGKILL, and wait for the end."""
        self.part(name).process.kill()

    def stop(self, name: str) -> None:
        """End it as an operator does: it commits, gives its lanes back and leaves its groups."""
        assert self.part(name).stop() == 0, f"{name}: {self.layout.log(name)}"

    def start(self, name: str) -> None:
        """Start an ended part again; returns at once."""
        self.part(name).launch()

    def restart(self, name: str) -> None:
        """Start an ended part again and wait until it serves."""
        self.start(name)
        wait_until(lambda: answers(self.part(name)), START_SECONDS)

    def told(self, service: str, **env: str) -> None:
        """Other environment variables for the next starts of a service."""
        program = self.part(service)
        assert isinstance(program, Program)
        program.env = {**program.env, **env}

    def is_alive(self, name: str) -> bool:
        """Whether the process that was started last still runs."""
        return self.part(name).process.is_alive


@contextmanager
def running_company(folder: Path, *, database: Database) -> Iterator[Company]:
    """A started company; at the end everything it started has ended."""
    shutil.copy(ROOT / "treaty.toml", folder)
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    settings = Settings.load(None, os.environ, start=folder)
    declared = tuple(load_project(settings).services)
    services = started(settings, declared=declared)
    layout = Layout(
        root=folder,
        services=services,
        left_out=left_out(settings, declared=declared),
        service_command=str(settings.get("local", "service")),
        database=database,
        ports=ports_for(services, configured={}, by_hand=dict.fromkeys(port_names(services, database), 0)),
    )
    with (folder / "stack.txt").open("w") as said:
        view = View(Console(file=said, width=160))
        machine = Machine(env=dict(os.environ))
        with (
            running_stack(layout, settings=settings, machine=machine, view=view) as stack,
            httpx.Client(timeout=ANSWER_SECONDS, limits=httpx.Limits(max_keepalive_connections=0)) as http,
            Lags(layout.brokers) as lags,
        ):
            ended = [part.name for part in stack.parts if not part.process.is_alive]
            assert not ended, f"{ended} did not start:\n{(folder / 'stack.txt').read_text()}"
            company = Company(stack=stack, keys=keys_in(layout.keys), settings=settings, http=http, lags=lags)
            company.settle()
            yield company


def port_names(services: tuple[str, ...], database: Database) -> list[str]:
    """Everything that gets a free port."""
    return Layout(root=Path(), services=services, database=database).names()
