"""The container stack is checked without an engine, and started where one answers."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import check_compose
from tests.cases.markdown import ROOT

Compose = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> Compose:
    loaded: Compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def test_the_file_keeps_the_rules_of_the_house(compose: Compose) -> None:
    assert list(check_compose.ours(compose)) == []


def published_everywhere(compose: Compose) -> None:
    compose["services"]["redis"]["ports"] = ["6379:6379"]


def unpinned(compose: Compose) -> None:
    compose["services"]["redis"]["image"] = "redis:latest"


def unwatched(compose: Compose) -> None:
    del compose["services"]["order"]["healthcheck"]


def unbounded(compose: Compose) -> None:
    del compose["services"]["order"]["mem_limit"]


def too_large(compose: Compose) -> None:
    compose["services"]["kafka"]["mem_limit"] = "4096m"


def another_kafka(compose: Compose) -> None:
    compose["services"]["kafka"]["image"] = "apache/kafka:3.9.0"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (published_everywhere, "beyond loopback"),
        (unpinned, "not pinned"),
        (unwatched, "no healthcheck"),
        (unbounded, "no mem_limit"),
        (too_large, "memory limits sum"),
        (another_kafka, "not of the local broker's version"),
    ],
)
def test_a_planted_fault_is_named(compose: Compose, fault: Callable[[Compose], None], words: str) -> None:
    broken = copy.deepcopy(compose)
    fault(broken)
    assert any(words in sentence for sentence in check_compose.ours(broken))


def test_every_service_of_the_mall_runs_in_a_container_of_its_own(compose: Compose) -> None:
    from mall import SERVICES

    assert set(SERVICES) <= set(compose["services"])
    for name in SERVICES:
        environment = compose["services"][name]["environment"]
        assert environment["DATABASE_URL"] == f"postgresql+psycopg://?service=mall_{name}"


def test_no_secret_stands_in_what_an_operator_deploys() -> None:
    for path in [ROOT / "docker-compose.yml", *(ROOT / "ops").rglob("*")]:
        if path.is_file() and path.suffix not in {".sum", ".lock"}:
            text = path.read_text(encoding="utf-8")
            assert "BEGIN PRIVATE KEY" not in text
            assert "PASSWORD: " not in text.replace("POSTGRES_PASSWORD_FILE: ", "")


def engine() -> str | None:
    """Why containers cannot be started here; None if they can."""
    import docker

    try:
        docker.from_env(timeout=1).version()
    except docker.errors.DockerException as error:
        return f"no container engine answers: {str(error)[:80]}"
    return None


@pytest.mark.timeout(1200)
def test_the_stack_starts_in_containers_and_an_order_service_is_ready() -> None:
    if reason := engine():
        pytest.skip(reason)
    try:
        subprocess.run(["make", "stack-minimal"], cwd=ROOT, check=True)
        ready = ["docker", "compose", "exec", "-T", "order", "python", "-m", "treaty_runtime.healthcheck"]
        subprocess.run([*ready, "http://127.0.0.1:8082/readyz"], cwd=ROOT, check=True)
    finally:
        subprocess.run(["docker", "compose", "down", "--volumes"], cwd=ROOT, check=False)


def test_secrets_are_made_once_and_lie_in_a_private_folder(tmp_path: Path) -> None:
    script = (ROOT / "scripts" / "make_secrets.py").read_text(encoding="utf-8")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "make_secrets.py").write_text(script, encoding="utf-8")
    import sys

    run = [sys.executable, "scripts/make_secrets.py"]
    first = subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True)
    made = {path.name: path.read_bytes() for path in (tmp_path / ".secrets").iterdir()}
    assert len(first.stdout.splitlines()) == len(made) == 4
    assert (tmp_path / ".secrets").stat().st_mode & 0o077 == 0
    again = subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert again.stdout == ""
    assert made == {path.name: path.read_bytes() for path in (tmp_path / ".secrets").iterdir()}
