"""`python -m mall <service>` as a process: it starts without Kafka, and ends with 0 when it is asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from mall import SERVICES
from tests.mall.counter import Tokens
from tests.parts.waiting import DEADLINE, wait_until


def start(arguments: list[str], env: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
    path = {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "mall", *arguments]
    return subprocess.Popen(
        command, env={**path, **env}, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("arguments", [[], ["shoe"], ["order", "more"]])
def test_an_unknown_service_is_a_usage_error(arguments: list[str], tmp_path: Path) -> None:
    process = start(arguments, {}, tmp_path)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert "|".join(SERVICES) in errors


def test_names_are_listed_without_loading_what_services_need() -> None:
    said = (
        "import sys; from mall.__main__ import main; print(main(['shoe']), {'fastapi', 'sqlalchemy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=DEADLINE)
    assert done.stdout == "2 set()\n"


def test_a_service_without_a_read_model_names_those_that_have_one(tmp_path: Path) -> None:
    process = start(["chat", "rebuild"], {}, tmp_path)
    _, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, errors) == (
        2,
        "chat has no read model to make anew; these have: order, cache, analytics, search.\n",
    )


def test_wrong_settings_are_all_named(tmp_path: Path) -> None:
    process = start(["chat"], {"MALL_PORT": "x", "KAFKA_BROKERS": "kafka"}, tmp_path)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 3
    for name in ("MALL_PORT", "KAFKA_BROKERS", "MALL_JWT_PUBLIC_KEY_FILE"):
        assert name in errors
    assert "Traceback" not in errors


def test_a_service_starts_without_kafka_and_ends_when_asked(
    database_url: str, port: int, tokens: Tokens, tmp_path: Path
) -> None:
    key = tmp_path / "public.pem"
    key.write_bytes(tokens.public_pem)
    nobody = "127.0.0.1:9"
    env = {
        "MALL_PORT": str(port),
        "MALL_JWT_PUBLIC_KEY_FILE": str(key),
        "KAFKA_BROKERS": nobody,
        "SCHEMA_REGISTRY_URL": f"http://{nobody}",
        "REDIS_URL": f"redis://{nobody}/0",
        "DATABASE_URL": database_url,
    }
    process = start(["chat"], env, tmp_path)

    def answer() -> httpx.Response | None:
        assert process.poll() is None, process.communicate()
        try:
            found = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, timeout=DEADLINE)
        except httpx.TransportError:
            return None
        # The first answers may come before the database was looked at.
        return found if found.status_code == 200 else None

    try:
        ready = wait_until(answer)
        assert ready.json()["database"] == "ok"
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=DEADLINE).text
        assert 'kafka_consumer_messages_total{consumergroup="chat-service",event_type="GOODS_UPDATED"' in metrics
    finally:
        process.send_signal(signal.SIGTERM if database_url.startswith("sqlite") else signal.SIGINT)
        output, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, output + errors
    assert "Traceback" not in output + errors
