"""What is wrong here? One row per check, from the project outwards; each failed one names the next command.

A check looks and never mends. A fault in one does not keep the others from being made.
"""

from __future__ import annotations

import platform
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Literal

from treaty.config import Settings
from treaty.errors import TreatyError
from treaty.ops import generate, git
from treaty.ops.check import run_lint
from treaty.ops.http import RegistryHttp, readiness
from treaty.ops.registry import plan_registry
from treaty.ops.schemas import load_project
from treaty.ops.services import groups_of, left_out
from treaty.ops.topics import plan_topics
from treaty_codegen.finding import Severity
from treaty_runtime.admin import Cluster, ClusterRefused, ClusterUnreachable

State = Literal["ok", "failed"]

CONNECT_SECONDS = 2.0
SKEW_SECONDS = 5.0
"""Times in events and time-outs are compared between machines; what an hour's answer may be late is far less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row: what was looked at, how it is, and what to do about it."""

    name: str
    state: State
    detail: str
    next_step: str = ""


class Wrong(TreatyError):
    """A check found something wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined: a project, and how to reach one of its environments."""

    settings: Settings
    environment: str
    registry: Callable[[], RegistryHttp]
    cluster: Callable[[], Cluster]

    @property
    def services(self) -> Mapping[str, int]:
        """Services that run on this machine, with their ports; only the local environment has any."""
        if self.environment != "local":
            return {}
        try:
            absent = not_run(self)
        except TreatyError:
            absent = ()  # the checks of schemas and groups say what is wrong
        return {name: port for name, port in self.settings.get("local", "ports").items() if name not in absent}


def not_run(patient: Patient) -> tuple[str, ...]:
    """Declared services that nobody runs on this machine; of other environments nothing is known."""
    if patient.environment != "local":
        return ()
    return left_out(patient.settings, declared=load_project(patient.settings).services)


def examine(patient: Patient) -> Iterator[Check]:
    """Every check in turn, so that a terminal can show each as it is made."""
    for name, look in CHECKS.items():
        yield made(name, partial(look, patient))
    for service, port in patient.services.items():
        yield made(f"service {service}", partial(service_ready, port))


def made(name: str, look: Callable[[], str]) -> Check:
    """One check as a row, whatever it raises of ours."""
    try:
        return Check(name=name, state="ok", detail=look())
    except TreatyError as error:
        return Check(name=name, state="failed", detail=str(error), next_step=error.next_step or "")
    except (ClusterUnreachable, ClusterRefused) as error:
        return Check(name=name, state="failed", detail=str(error), next_step="treaty up")


def project(patient: Patient) -> str:
    patient.settings.of_environment(patient.environment)
    return f"{patient.settings.root}, environment {patient.environment}"


def repository(patient: Patient) -> str:
    commit = git.head(patient.settings.root)
    if not commit:
        raise Wrong("no git repository, or no commit yet", next_step="git init && git commit")
    return commit[:12] + ("+dirty" if commit.endswith("+dirty") else "")


def schemas(patient: Patient) -> str:
    outcome = run_lint(patient.settings)
    errors = [finding for finding in outcome.findings if finding.severity is Severity.ERROR]
    if errors:
        raise Wrong(f"{len(errors)} errors, first at {errors[0].at}", next_step="treaty lint")
    return outcome.looked_at


def sdk(patient: Patient) -> str:
    folders = list(generate.generated(patient.settings))
    changes, files = sum(len(each.changes()) for each in folders), sum(len(each.wanted) for each in folders)
    if changes:
        raise Wrong(f"{changes} of {files} files are not what the schemas give", next_step="treaty generate")
    return f"{files} files, fresh"


def broker(patient: Patient) -> str:
    with patient.cluster() as cluster:
        brokers = cluster.brokers()
        for address in brokers:
            reach(address)
        return f"{cluster.bootstrap} answers and advertises {', '.join(brokers)}"


def reach(address: str) -> None:
    """An advertised address that cannot be reached is why clients hang after a first answer."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except socket.gaierror as error:
        raise Wrong(
            f"Kafka advertises {address}, a name that is not known here: {error.strerror}",
            next_step=f"let DNS or /etc/hosts know {host}, or set advertised.listeners to a name that clients know",
        ) from error
    except OSError as error:
        raise Wrong(
            f"Kafka advertises {address}, which does not answer from here: {error.strerror or error}",
            next_step="set advertised.listeners to an address that clients reach",
        ) from error


def topics(patient: Patient) -> str:
    with patient.cluster() as cluster:
        plan = plan_topics(patient.settings, cluster, environment=patient.environment)
    if plan.steps or plan.drift:
        raise Wrong(
            f"{len(plan.steps)} steps and {len(plan.drift)} drifts from git",
            next_step=f"treaty topics plan{env(patient)}",
        )
    return "as git says"


def groups(patient: Patient) -> str:
    catalog, absent = load_project(patient.settings), not_run(patient)
    lags: dict[str, int] = {}
    with patient.cluster() as cluster:
        for group, topics in groups_of(catalog, without=absent).items():
            lags[group] = sum(cluster.lags(group, topics).values())
    waiting = {group: lag for group, lag in lags.items() if lag}
    said = ", ".join(f"{group} {lag} behind" for group, lag in waiting.items()) or "none behind"
    return f"{len(lags)} groups, {said}" + (f"; not started here: {', '.join(absent)}" if absent else "")


def registry(patient: Patient) -> str:
    with patient.registry() as http:
        mode = http.mode()
        if mode != "READWRITE":
            raise Wrong(f"{http.host} is in mode {mode}", next_step="an administrator sets the mode back")
        return f"{http.host} answers, mode {mode}"


def subjects(patient: Patient) -> str:
    with patient.registry() as http:
        plan, blocked = plan_registry(patient.settings, http, environment=patient.environment)
    if plan.steps or plan.drift or blocked:
        raise Wrong(
            f"{len(plan.steps)} steps and {len(plan.drift)} drifts from git",
            next_step=f"treaty registry plan{env(patient)}",
        )
    return "as git says"


def versions(_patient: Patient) -> str:
    python = platform.python_version()
    return f"treaty {version('treaty')}, Python {python}, confluent-kafka {version('confluent-kafka')}"


def clock(patient: Patient) -> str:
    with patient.registry() as http:
        before, theirs, after = datetime.now(UTC), http.clock(), datetime.now(UTC)
    # An answer that took long was given at some moment between: only what lies outside is a difference of clocks.
    skew = max(before - theirs, theirs - after).total_seconds()
    if skew > SKEW_SECONDS:
        raise Wrong(
            f"this clock and that of {http.host} are {skew:.0f} s apart", next_step="let both follow NTP (timedatectl)"
        )
    return f"as {http.host}'s"


def ports(patient: Patient) -> str:
    shared = [port for port, number in Counter(patient.services.values()).items() if number > 1]
    if shared:
        of = ", ".join(name for name, port in patient.services.items() if port == shared[0])
        raise Wrong(f"port {shared[0]} is given to {of}", next_step="give each a port of its own in [local] ports")
    strangers = [f"{name} {port}" for name, port in patient.services.items() if is_foreign(port)]
    if strangers:
        raise Wrong(
            f"somebody else listens where a service belongs: {', '.join(strangers)}",
            next_step="end it, or move ours: treaty up --port NAME=PORT",
        )
    return f"{len(patient.services)} services, each has its own" if patient.services else "none on this machine"


def is_foreign(port: int) -> bool:
    """Whether something listens that is none of our services: it has no `/readyz`."""
    try:
        socket.create_connection(("127.0.0.1", port), CONNECT_SECONDS).close()
    except OSError:
        return False
    try:
        return not readiness(f"http://127.0.0.1:{port}/readyz")
    except TreatyError:
        return True


def service_ready(port: int) -> str:
    states = readiness(f"http://127.0.0.1:{port}/readyz")
    bad = {name: state for name, state in states.items() if isinstance(state, str) and state != "ok"}
    if bad:
        raise Wrong(", ".join(f"{name}: {state}" for name, state in bad.items()), next_step="read .treaty/logs")
    return f"port {port}, ready"


def env(patient: Patient) -> str:
    return "" if patient.environment == "local" else f" --env {patient.environment}"


CHECKS: Mapping[str, Callable[[Patient], str]] = {
    "versions": versions,
    "project": project,
    "git": repository,
    "schemas": schemas,
    "SDK": sdk,
    "broker": broker,
    "topics": topics,
    "groups": groups,
    "registry": registry,
    "subjects": subjects,
    "clock": clock,
    "ports": ports,
}
"""Name to check, in the order in which a fault explains the next ones."""
