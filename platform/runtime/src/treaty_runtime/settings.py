"""How to reach Kafka and the registry: read from a mapping, checked whole, secrets shown nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from treaty_runtime.errors import InvalidSettings

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT")
_GROUP_PROTOCOLS = ("classic", "consumer")


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Addresses, identity and client overrides of one service. ``extra`` wins over the runtime's own client settings."""

    brokers: str = "localhost:40093"
    consumer_group: str | None = None
    topics: tuple[str, ...] = ()
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ssl_ca_file: Path | None = None
    ssl_certificate_file: Path | None = None
    ssl_key_file: Path | None = None
    group_protocol: str = "classic"
    group_instance_id: str | None = None
    registry_urls: tuple[str, ...] = field(default=("http://localhost:8081",), repr=False)  # they may hold a password
    registry_user: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, extra: Mapping[str, Any] | None = None) -> KafkaSettings:
        """Reads ``KAFKA_*`` and ``SCHEMA_REGISTRY_*``; what is not set has its default, secrets come from ``…_FILE``.

        Raises ``InvalidSettings``, which lists every fault at once.
        """
        reading = _Reading(env)
        settings = cls(
            brokers=reading.brokers("KAFKA_BROKERS", "localhost:40093"),
            consumer_group=env.get("KAFKA_CONSUMER_GROUP") or None,
            topics=tuple(_items(env.get("KAFKA_TOPICS", ""))),
            security_protocol=reading.one_of("KAFKA_SECURITY_PROTOCOL", _PROTOCOLS),
            sasl_mechanism=env.get("KAFKA_SASL_MECHANISM") or "SCRAM-SHA-512",
            sasl_username=env.get("KAFKA_SASL_USERNAME") or None,
            sasl_password=reading.secret("KAFKA_SASL_PASSWORD_FILE"),
            ssl_ca_file=reading.file("KAFKA_SSL_CA_FILE"),
            ssl_certificate_file=reading.file("KAFKA_SSL_CERTIFICATE_FILE"),
            ssl_key_file=reading.private_file("KAFKA_SSL_KEY_FILE"),
            group_protocol=reading.one_of("KAFKA_GROUP_PROTOCOL", _GROUP_PROTOCOLS),
            group_instance_id=env.get("KAFKA_GROUP_INSTANCE_ID") or None,
            registry_urls=reading.urls("SCHEMA_REGISTRY_URL", "http://localhost:8081"),
            registry_user=reading.secret("SCHEMA_REGISTRY_USER_FILE"),
            extra=dict(extra or {}),
            warnings=tuple(reading.warnings),
        )
        reading.faults += _contradictions(settings, env)
        if reading.faults:
            raise InvalidSettings(reading.faults)
        return settings


class _Reading:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.faults: list[str] = []
        self.warnings: list[str] = []

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self._env.get(name) or allowed[0]
        if value not in allowed:
            self.faults.append(f'{name}: "{value}" is none of {", ".join(allowed)}')
        return value

    def brokers(self, name: str, default: str) -> str:
        value = self._env.get(name) or default
        addresses = list(_items(value))
        if not addresses:
            self.faults.append(f"{name}: no address, e.g. kafka:9092")
        for address in addresses:
            host, colon, port = address.rpartition(":")
            if not colon:
                self.faults.append(f'{name}: "{address}" has no port, e.g. {address}:9092')
            elif not host or not port.isdecimal() or not 0 < int(port) <= 65_535:
                self.faults.append(f'{name}: "{address}" is no host and port, e.g. kafka:9092')
        return ",".join(addresses)

    def urls(self, name: str, default: str) -> tuple[str, ...]:
        urls = tuple(_items(self._env.get(name) or default))
        for url in urls:
            scheme, separator, rest = url.partition("://")
            if not separator or scheme not in {"http", "https"} or not rest:
                self.faults.append(f"{name}: an address begins with http:// or https://, e.g. {default}")
        return urls

    def file(self, name: str) -> Path | None:
        value = self._env.get(name)
        if not value:
            return None
        path = Path(value)
        if not path.is_file():
            self.faults.append(f"{name}: {path} is no file")
        return path

    def private_file(self, name: str) -> Path | None:
        """A file that nobody else should be able to read."""
        path = self.file(name)
        if path is not None and path.is_file() and path.stat().st_mode & 0o004:
            self.warnings.append(f"{name}: {path} is readable by everybody: chmod 600 {path}")
        return path

    def secret(self, name: str) -> str | None:
        path = self.private_file(name)
        if path is None or not path.is_file():
            return None
        try:
            text = path.read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
            self.faults.append(f"{name}: {path} cannot be read: {why}")
            return None
        if not text:
            self.faults.append(f"{name}: {path} is empty")
        return text


def _contradictions(settings: KafkaSettings, env: Mapping[str, str]) -> Iterator[str]:
    has_sasl = settings.security_protocol.startswith("SASL")
    if has_sasl and not (settings.sasl_username and settings.sasl_password):
        yield f"KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD_FILE: both are needed for {settings.security_protocol}"
    if settings.security_protocol == "SASL_PLAINTEXT" and env.get("KAFKA_ALLOW_PLAINTEXT_PASSWORDS") != "1":
        yield (
            "KAFKA_SECURITY_PROTOCOL: SASL_PLAINTEXT sends the password readable: "
            "use SASL_SSL, or set KAFKA_ALLOW_PLAINTEXT_PASSWORDS=1"
        )


def _items(text: str) -> Iterator[str]:
    return (item.strip() for item in text.split(",") if item.strip())
