"""`python -m mall <service> replay` as a process: it needs the service's tables and a broker, joins no group, and says what it did."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mall.chat.tables import metadata
from mall.database import open_database
from tests.mall.counter import Tokens
from tests.mall.test_process import start
from tests.parts.waiting import DEADLINE
from treaty.local.ports import free_port

pytestmark = pytest.mark.long


def asked(env: dict[str, str], folder: Path, *words: str) -> tuple[int, str, str]:
    process = start(["chat", "replay", *words], env, folder)
    output, errors = process.communicate(timeout=DEADLINE)
    assert "Traceback" not in output + errors
    return process.returncode, output, errors


def test_a_database_that_is_away_is_one_sentence_and_exit_code_3(tokens: Tokens, tmp_path: Path) -> None:
    key = tmp_path / "public.pem"
    key.write_bytes(tokens.public_pem)
    away = f"127.0.0.1:{free_port()}"
    env = {
        "MALL_JWT_PUBLIC_KEY_FILE": str(key),
        "KAFKA_BROKERS": away,
        "SCHEMA_REGISTRY_URL": f"http://{away}",
        "REDIS_URL": f"redis://{away}/0",
        "DATABASE_URL": f"postgresql+psycopg://treaty@{away}/postgres",
    }
    code, _, errors = asked(env, tmp_path, "--from", "start")
    assert (code, errors.count("replay again when it is back")) == (3, 1), errors


@pytest.mark.kafka
def test_a_service_replays_its_past_beside_itself(kafka: str, tokens: Tokens, tmp_path: Path) -> None:
    key = tmp_path / "public.pem"
    key.write_bytes(tokens.public_pem)
    url = f"sqlite:///{tmp_path / 'chat.sqlite'}"
    env = {
        "MALL_JWT_PUBLIC_KEY_FILE": str(key),
        "KAFKA_BROKERS": kafka,
        "SCHEMA_REGISTRY_URL": "http://127.0.0.1:9",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "DATABASE_URL": url,
    }
    code, _, errors = asked(env, tmp_path, "--from", "yesterday")
    assert (code, "Write start, end" in errors) == (2, True)
    code, _, errors = asked(env, tmp_path, "--from", "start")
    assert (code, "tables are not in this database" in errors) == (3, True)

    async def create() -> None:
        opened = open_database("chat", url)
        await opened.create(metadata)
        await opened.engine.dispose()

    asyncio.run(create())
    code, output, errors = asked(env, tmp_path, "--from", "end")
    assert (code, output) == (0, "0 records: 0 handled, 0 known already, 0 skipped, 0 failed.\n"), errors
    assert asked(env, tmp_path, "--from", "start", "--topic", "nothing")[0] == 3
