"""Settings of a service: read once, every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from mall import SERVICES
from mall.settings import PORTS, InvalidSettings, Settings
from tests.mall.counter import Tokens
from treaty_runtime.kafka.config import consumer_config, producer_config
from treaty_runtime.wiring.connections import PUBLISHING


@pytest.fixture
def key_file(tmp_path: Path, tokens: Tokens) -> Path:
    path = tmp_path / "public.pem"
    path.write_bytes(tokens.public_pem)
    return path


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_a_port_and_a_database_of_its_own(service: str, key_file: Path) -> None:
    keys = {"MALL_JWT_PUBLIC_KEY_FILE": str(key_file), "MALL_JWT_PRIVATE_KEY_FILE": str(key_file)}
    settings = Settings.from_env(service, keys)
    assert settings.port == PORTS[service]
    assert service in settings.database_url
    assert settings.kafka.brokers == "localhost:40093"


def test_producers_send_a_hundred_messages_or_a_mebibyte_at_a_time_by_snappy(key_file: Path) -> None:
    kafka = Settings.from_env("chat", {"MALL_JWT_PUBLIC_KEY_FILE": str(key_file)}).kafka
    asked = {
        "acks": "all",
        "enable.idempotence": True,
        "delivery.timeout.ms": 120_000,
        "retry.backoff.ms": 100,
        "batch.num.messages": 100,
        "batch.size": 1 << 20,
        "linger.ms": 5,
        "compression.type": "snappy",
    }
    assert asked.items() <= producer_config(kafka, delivery_timeout=PUBLISHING).items()
    group = consumer_config(kafka, group="chat-service")
    assert not {"compression.type", "batch.num.messages"} & group.keys()
    assert (group["session.timeout.ms"], group["heartbeat.interval.ms"]) == (10_000, 3_000)
    assert (group["auto.offset.reset"], group["partition.assignment.strategy"]) == ("earliest", "cooperative-sticky")


def test_what_is_set_wins(key_file: Path) -> None:
    env = {
        "MALL_JWT_PUBLIC_KEY_FILE": str(key_file),
        "MALL_PORT": "9000",
        "MALL_INSTANCE": "node-1",
        "MALL_ALLOWED_ORIGINS": "https://a.test,https://b.test",
        "MALL_ADMIN_USER_IDS": "1, 100001",
        "MALL_TRUSTED_PROXIES": "192.0.2.1",
        "MALL_LOCALE": "en",
        "MALL_FEE_BPS": "0",
        "DATABASE_URL": "postgresql://localhost/mall",
        "REDIS_URL": "redis://localhost:1/0",
    }
    settings = Settings.from_env("order", env)
    assert (settings.port, settings.instance, settings.locale) == (9000, "node-1", "en")
    assert settings.allowed_origins == {"https://a.test", "https://b.test"}
    assert settings.fee_bps == 0
    assert settings.admin_user_ids == {1, 100_001}
    assert settings.trusted_proxies == ("192.0.2.1",)
    assert settings.database_url == env["DATABASE_URL"]


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    env = {
        "MALL_JWT_PUBLIC_KEY_FILE": str(tmp_path / "missing.pem"),
        "MALL_PORT": "no",
        "MALL_LOCALE": "fr",
        "MALL_FEE_BPS": "10001",
        "MALL_ADMIN_USER_IDS": "root",
        "KAFKA_BROKERS": "kafka",
    }
    with pytest.raises(InvalidSettings) as faults:
        Settings.from_env("order", env)
    for name in env:
        assert name in str(faults.value)


def test_only_the_user_service_signs(key_file: Path) -> None:
    keys = {"MALL_JWT_PUBLIC_KEY_FILE": str(key_file), "MALL_JWT_PRIVATE_KEY_FILE": str(key_file)}
    assert Settings.from_env("order", keys).private_key == b""
    assert Settings.from_env("user", keys).private_key
    with pytest.raises(InvalidSettings, match="MALL_JWT_PRIVATE_KEY_FILE"):
        Settings.from_env("user", {"MALL_JWT_PUBLIC_KEY_FILE": str(key_file)})


def test_the_key_is_needed() -> None:
    with pytest.raises(InvalidSettings, match="treaty up"):
        Settings.from_env("order", {})
