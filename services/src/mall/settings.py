"""What a service is told from outside, read once at the edge."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from treaty_runtime.errors import InvalidSettings as InvalidKafkaSettings
from treaty_runtime.settings import KafkaSettings

PORTS = {
    "order": 8082,
    "goods": 8083,
    "chat": 8084,
    "user": 8080,
    "payment": 8085,
    "notification": 8086,
    "cache": 8087,
    "analytics": 8088,
    "search": 8089,
    "audit": 8090,
}

WHOLE_BPS = 10_000
PRODUCERS = {"producer.compression.type": "snappy", "producer.batch.num.messages": 100}
"""What the mall asks of its producers besides what the runtime does anyway: batches of a hundred messages (or 1 MiB), by Snappy."""


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
    private_key: bytes = field(repr=False)
    admin_user_ids: frozenset[int]
    trusted_proxies: tuple[str, ...]
    smtp_host: str
    smtp_port: int
    sms_file: Path
    image_folder: Path
    warehouse_folder: Path
    webhook_allow_loopback: bool
    instance: str
    allowed_origins: frozenset[str]
    locale: str
    fee_bps: int

    @classmethod
    def from_env(cls, service: str, env: Mapping[str, str]) -> Settings:
        """Read the variables of one service; raises InvalidSettings with every fault at once."""
        faults: list[str] = []
        port = _port(env, "MALL_PORT", PORTS[service], faults)
        smtp_port = _port(env, "SMTP_PORT", 40125, faults)
        public_key = _key(env, "MALL_JWT_PUBLIC_KEY_FILE", "tokens are checked with", faults)
        private_key = (
            _key(env, "MALL_JWT_PRIVATE_KEY_FILE", "tokens are signed with", faults) if service == "user" else b""
        )
        admins = _ids("MALL_ADMIN_USER_IDS", env.get("MALL_ADMIN_USER_IDS", ""), faults)
        locale = _locale(env, faults)
        fee_bps = _basis_points("MALL_FEE_BPS", env.get("MALL_FEE_BPS", "60"), faults)
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
            private_key=private_key,
            admin_user_ids=admins,
            trusted_proxies=_names(env.get("MALL_TRUSTED_PROXIES", "")),
            smtp_host=env.get("SMTP_HOST", "localhost"),
            smtp_port=smtp_port,
            sms_file=Path(env.get("MALL_SMS_FILE", "sms.jsonl")),
            image_folder=Path(env.get("MALL_IMAGE_FOLDER", "images")),
            warehouse_folder=Path(env.get("MALL_WAREHOUSE_FOLDER", "warehouse")),
            webhook_allow_loopback=env.get("MALL_WEBHOOK_ALLOW_LOOPBACK") == "1",
            instance=env.get("MALL_INSTANCE", f"{socket.gethostname()}-{port}"),
            allowed_origins=frozenset(_names(env.get("MALL_ALLOWED_ORIGINS", ""))),
            locale=locale,
            fee_bps=fee_bps,
        )


def _kafka(env: Mapping[str, str], faults: list[str]) -> KafkaSettings | None:
    try:
        return KafkaSettings.from_env(env, extra=PRODUCERS)
    except InvalidKafkaSettings as error:
        faults.extend(error.faults)
        return None


def _port(env: Mapping[str, str], name: str, default: int, faults: list[str]) -> int:
    text = env.get(name, str(default))
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    faults.append(f'{name}: "{text}" is no port; give a number from 1 to 65535.')
    return 0


def _basis_points(name: str, text: str, faults: list[str]) -> int:
    if text.isascii() and text.isdigit() and int(text) <= WHOLE_BPS:
        return int(text)
    faults.append(f'{name}: "{text}" is no share; give hundredths of a percent from 0 to {WHOLE_BPS}.')
    return 0


def _locale(env: Mapping[str, str], faults: list[str]) -> str:
    locale = env.get("MALL_LOCALE", "zh")
    if locale not in ("en", "zh"):
        faults.append(f'MALL_LOCALE: "{locale}" is neither en nor zh.')
    return locale


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _ids(name: str, text: str, faults: list[str]) -> frozenset[int]:
    words = _names(text)
    for word in words:
        if not (word.isascii() and word.isdigit()):
            faults.append(f'{name}: "{word}" is no user\'s number; give a comma list of numbers.')
            return frozenset()
    return frozenset(map(int, words))


def _key(env: Mapping[str, str], name: str, use: str, faults: list[str]) -> bytes:
    path = env.get(name, "")
    if not path:
        faults.append(f"{name}: not set; it names the PEM file {use} (`treaty up` makes it).")
        return b""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        faults.append(f"{name}: {path}: {error.strerror}.")
        return b""
