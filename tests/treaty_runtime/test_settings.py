"""Settings from the environment: all faults at once, secrets nowhere."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from treaty_runtime.errors import InvalidSettings
from treaty_runtime.settings import KafkaSettings


def test_an_empty_environment_means_the_local_stack() -> None:
    settings = KafkaSettings.from_env({})
    assert (settings.brokers, settings.security_protocol) == ("localhost:40093", "PLAINTEXT")
    assert settings.registry_urls == ("http://localhost:8081",)


NAMES = (
    "KAFKA_BROKERS", "KAFKA_CONSUMER_GROUP", "KAFKA_TOPICS", "KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD_FILE", "KAFKA_SSL_CA_FILE", "KAFKA_SSL_CERTIFICATE_FILE", "KAFKA_SSL_KEY_FILE",
    "KAFKA_GROUP_PROTOCOL", "KAFKA_GROUP_INSTANCE_ID", "SCHEMA_REGISTRY_URL", "SCHEMA_REGISTRY_USER_FILE",
)  # fmt: skip


def test_what_is_set_to_nothing_is_not_set() -> None:
    assert KafkaSettings.from_env({}) == KafkaSettings()
    assert KafkaSettings.from_env(dict.fromkeys(NAMES, "")) == KafkaSettings()


def test_every_variable_has_its_place(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in NAMES if name.endswith("_FILE")}
    for name, file in files.items():
        file.write_text(f"what is in {name}\n")
        file.chmod(0o601)  # whoever may only enter does not read
    told = {name: str(file) for name, file in files.items()} | {
        "KAFKA_BROKERS": " kafka-1:1 ,, kafka-2:65535",
        "KAFKA_CONSUMER_GROUP": "order",
        "KAFKA_TOPICS": "order-events, payment-events",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": "mall",
        "KAFKA_GROUP_PROTOCOL": "consumer",
        "KAFKA_GROUP_INSTANCE_ID": "order-1",
        "SCHEMA_REGISTRY_URL": "http://one:8081, https://two",
    }
    assert set(told) == set(NAMES)
    settings = KafkaSettings.from_env(told, extra={"linger.ms": 5})
    assert settings == KafkaSettings(
        brokers="kafka-1:1,kafka-2:65535",
        consumer_group="order",
        topics=("order-events", "payment-events"),
        security_protocol="SASL_SSL",
        sasl_mechanism="PLAIN",
        sasl_username="mall",
        sasl_password="what is in KAFKA_SASL_PASSWORD_FILE",
        ssl_ca_file=files["KAFKA_SSL_CA_FILE"],
        ssl_certificate_file=files["KAFKA_SSL_CERTIFICATE_FILE"],
        ssl_key_file=files["KAFKA_SSL_KEY_FILE"],
        group_protocol="consumer",
        group_instance_id="order-1",
        registry_urls=("http://one:8081", "https://two"),
        registry_user="what is in SCHEMA_REGISTRY_USER_FILE",
        extra={"linger.ms": 5},
    )
    hidden = ("what is in", "one:8081", "linger")
    assert [word for word in hidden if word in repr(settings)] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BROKERS", " , "),
        ("KAFKA_BROKERS", "kafka:0"),
        ("KAFKA_BROKERS", "kafka:65536"),
        ("KAFKA_BROKERS", "kafka:-1"),
        ("KAFKA_GROUP_PROTOCOL", "PLAINTEXT"),
        ("SCHEMA_REGISTRY_URL", "ftp://registry"),
        ("SCHEMA_REGISTRY_URL", "http:registry"),
        ("SCHEMA_REGISTRY_URL", "https://"),
        ("KAFKA_SASL_PASSWORD_FILE", "/does/not/exist"),
        ("SCHEMA_REGISTRY_USER_FILE", "/does/not/exist"),
    ],
)
def test_a_value_that_cannot_be_meant_is_one_fault_which_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        KafkaSettings.from_env({name: value})
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [name]


@pytest.mark.parametrize("missing", ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD_FILE"])
def test_a_login_needs_its_name_and_its_password(missing: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    env = {name: value for name, value in sasl(file).items() if name != missing}
    with pytest.raises(InvalidSettings, match="both are needed for SASL_SSL"):
        KafkaSettings.from_env(env)


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


def test_a_private_key_that_everybody_reads_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("x")
    file.chmod(0o644)
    env = {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEY_FILE": str(file)}
    assert KafkaSettings.from_env(env).warnings == (
        f"KAFKA_SSL_KEY_FILE: {file} is readable by everybody: chmod 600 {file}",
    )
    file.chmod(0o600)
    assert KafkaSettings.from_env(env).warnings == ()


def test_a_secret_that_is_no_text_is_a_fault_among_the_others(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(InvalidSettings, match=r"(?s)cannot be read: it is no UTF-8.*KAFKA_SASL"):
        KafkaSettings.from_env(sasl(file))


def test_a_secret_on_a_disk_that_fails_is_a_fault_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    file.chmod(0o600)
    failure = OSError(errno.EIO, os.strerror(errno.EIO))
    monkeypatch.setattr(Path, "read_text", Mock(side_effect=failure))
    with pytest.raises(InvalidSettings, match=r"cannot be read: Input/output error"):
        KafkaSettings.from_env(sasl(file))


def test_a_readable_password_on_the_wire_must_be_wanted(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    file.chmod(0o600)
    plain = sasl(file) | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}
    with pytest.raises(InvalidSettings, match="SASL_SSL"):
        KafkaSettings.from_env(plain)
    assert KafkaSettings.from_env(plain | {"KAFKA_ALLOW_PLAINTEXT_PASSWORDS": "1"}).sasl_username == "mall"
