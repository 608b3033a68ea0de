"""What a service is told from outside, read once at the edge."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from treaty_runtime.errors import InvalidSettings as InvalidKafkaSettings
from treaty_runtime.settings import KafkaSettings

PORTS = {"order": 8082, "goods": 8083, "chat": 8084, "notification": 8086, "cache": 8087}


class InvalidSettings(ValueError):
    """Settings are missing or wrong; the message lists all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one service; `treaty up` passes them, so do compose files."""

    service: str
    kafka: KafkaSettings
    database_url: str
    redis_url: str
    host: str
    port: int
    public_key: bytes = field(repr=False)
    instance: str
    allowed_origins: frozenset[str]
    locale: str

    @classmethod
    def from_env(cls, service: str, env: Mapping[str, str]) -> Settings:
        """Read the variables of one service; raises InvalidSettings with every fault at once."""
        faults: list[str] = []
        port = _port(env.get("MALL_PORT", str(PORTS[service])), faults)
        public_key = _public_key(env.get("MALL_JWT_PUBLIC_KEY_FILE", ""), faults)
        locale = env.get("MALL_LOCALE", "zh")
        if locale not in ("en", "zh"):
            faults.append(f'MALL_LOCALE: "{locale}" is neither en nor zh.')
        kafka = _kafka(env, faults)
        if kafka is None or faults:
            raise InvalidSettings("\n".join(faults))
        return cls(
            service=service,
            kafka=kafka,
            database_url=env.get("DATABASE_URL", f"sqlite:///{service}.db"),
            redis_url=env.get("REDIS_URL", "redis://localhost:6379/0"),
            host=env.get("MALL_HOST", "127.0.0.1"),
            port=port,
            public_key=public_key,
            instance=env.get("MALL_INSTANCE", f"{socket.gethostname()}-{port}"),
            allowed_origins=frozenset(filter(None, env.get("MALL_ALLOWED_ORIGINS", "").split(","))),
            locale=locale,
        )


def _kafka(env: Mapping[str, str], faults: list[str]) -> KafkaSettings | None:
    try:
        return KafkaSettings.from_env(env)
    except InvalidKafkaSettings as error:
        faults.extend(error.faults)
        return None


def _port(text: str, faults: list[str]) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    faults.append(f'MALL_PORT: "{text}" is no port; give a number from 1 to 65535.')
    return 0


def _public_key(path: str, faults: list[str]) -> bytes:
    if not path:
        faults.append(
            "MALL_JWT_PUBLIC_KEY_FILE: not set; it names the PEM file tokens are checked with (`treaty up` makes it)."
        )
        return b""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        faults.append(f"MALL_JWT_PUBLIC_KEY_FILE: {path}: {error.strerror}.")
        return b""
