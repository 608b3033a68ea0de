"""Settings from the environment: all faults at once, secrets nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from treaty_runtime.errors import InvalidSettings
from treaty_runtime.settings import KafkaSettings


def test_an_empty_environment_means_the_local_stack() -> None:
    settings = KafkaSettings.from_env({})
    assert (settings.brokers, settings.security_protocol) == ("localhost:40093", "PLAINTEXT")
    assert settings.registry_urls == ("http://localhost:8081",)


def test_every_fault_is_reported_at_once() -> None:
    env = {
        "KAFKA_BROKERS": "kafka, kafka:port,:9092",
        "KAFKA_SECURITY_PROTOCOL": "TLS",
        "KAFKA_SSL_CA_FILE": "/does/not/exist",
        "SCHEMA_REGISTRY_URL": "localhost:8081",
    }
    with pytest.raises(InvalidSettings) as caught:
        KafkaSettings.from_env(env)
    assert caught.value.faults == (
        'KAFKA_BROKERS: "kafka" has no port, e.g. kafka:9092',
        'KAFKA_BROKERS: "kafka:port" is no host and port, e.g. kafka:9092',
        'KAFKA_BROKERS: ":9092" is no host and port, e.g. kafka:9092',
        'KAFKA_SECURITY_PROTOCOL: "TLS" is none of PLAINTEXT, SSL, SASL_SSL, SASL_PLAINTEXT',
        "KAFKA_SSL_CA_FILE: /does/not/exist is no file",
        "SCHEMA_REGISTRY_URL: an address begins with http:// or https://, e.g. http://localhost:8081",
    )


def sasl(path: Path, **more: str) -> dict[str, str]:
    return {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_USERNAME": "mall",
        "KAFKA_SASL_PASSWORD_FILE": str(path),
        **more,
    }


def test_a_secret_loses_one_newline_and_shows_in_no_text(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("tr0ub4dor\n\n")
    file.chmod(0o600)
    settings = KafkaSettings.from_env(sasl(file))
    assert settings.sasl_password == "tr0ub4dor\n"
    assert "tr0ub4dor" not in repr(settings)
    assert settings.warnings == ()


def test_a_secret_that_everybody_reads_is_a_warning_and_an_empty_one_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    file.chmod(0o644)
    assert "chmod 600" in KafkaSettings.from_env(sasl(file)).warnings[0]
    file.write_text("\n")
    with pytest.raises(InvalidSettings, match="is empty"):
        KafkaSettings.from_env(sasl(file))


def test_a_readable_password_on_the_wire_must_be_wanted(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    file.chmod(0o600)
    plain = sasl(file) | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}
    with pytest.raises(InvalidSettings, match="SASL_SSL"):
        KafkaSettings.from_env(plain)
    assert KafkaSettings.from_env(plain | {"KAFKA_ALLOW_PLAINTEXT_PASSWORDS": "1"}).sasl_username == "mall"
