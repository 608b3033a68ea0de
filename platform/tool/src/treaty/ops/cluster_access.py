"""How commands show a cluster who they are, and whom they believe: from ``[environment.NAME]`` and its variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from treaty.config import FILE, Secret, Settings, Value, shown, variable_of
from treaty.errors import UsageError
from treaty_runtime.kafka.config import security_config
from treaty_runtime.settings import KafkaSettings

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


def cluster_access(settings: Settings, environment: str, *, read_secret: Callable[[Path], str]) -> dict[str, Any]:
    """librdkafka's settings of every client towards the brokers of ``[environment.NAME]``; nothing for a cluster without security.

    Raises ``UsageError`` for what contradicts itself, and where a password or a key could go to an address out of a project file.
    """
    table = settings.environments[environment]
    protocol = _one_of(table, "security_protocol", PROTOCOLS)
    password_file = _text(table, "sasl_password_file")
    _refuse(table, environment, protocol=protocol, has_password=password_file is not None)
    if protocol == "PLAINTEXT":
        return {}
    return security_config(
        KafkaSettings(
            brokers=str(table["brokers"].value),
            security_protocol=protocol,
            sasl_mechanism=_one_of(table, "sasl_mechanism", MECHANISMS),
            sasl_username=_text(table, "sasl_username"),
            sasl_password=read_secret(Path(password_file)) if password_file is not None else None,
            ssl_ca_file=_file(table, "ssl_ca_file", settings.root),
            ssl_certificate_file=_file(table, "ssl_certificate_file", settings.root),
            ssl_key_file=_file(table, "ssl_key_file", settings.root),
        )
    )


def _refuse(table: Mapping[str, Value], environment: str, *, protocol: str, has_password: bool) -> None:
    has_name = "sasl_username" in table
    if protocol.startswith("SASL") and not (has_name and has_password):
        missing = "sasl_password_file" if has_name else "sasl_username"
        raise UsageError(
            f"[environment.{environment}] {protocol} needs sasl_username and sasl_password_file.",
            next_step=f"export {variable_of(environment, missing)}=…",
        )
    if protocol == "SASL_PLAINTEXT" and _text(table, "allow_plaintext_passwords") != "1":
        raise UsageError(
            f"[environment.{environment}] SASL_PLAINTEXT sends the password readable.",
            next_step=f"use SASL_SSL, or export {variable_of(environment, 'allow_plaintext_passwords')}=1",
        )
    given = next((key for key in ("sasl_password_file", "ssl_key_file") if key in table), None)
    if given is not None and table["brokers"].source != variable_of(environment, "brokers"):
        raise UsageError(
            f"{table[given].source} is set, but the brokers' address comes from {table['brokers'].source}: "
            "a secret goes only to an address that a variable names too.",
            next_step=f"export {variable_of(environment, 'brokers')}={shown(str(table['brokers'].value))}",
        )


def _one_of(table: Mapping[str, Value], key: str, allowed: tuple[str, ...]) -> str:
    text = _text(table, key) or allowed[0]
    if text not in allowed:
        raise UsageError(f"{table[key].source}: {key} is one of {', '.join(allowed)}, not `{text}`")
    return text


def _text(table: Mapping[str, Value], key: str) -> str | None:
    value = table[key].value if key in table else None
    return None if value is None else value.reveal() if isinstance(value, Secret) else str(value)


def _file(table: Mapping[str, Value], key: str, root: Path) -> Path | None:
    text = _text(table, key)
    if text is None:
        return None
    path = root / text if table[key].source == FILE else Path(text)
    if not path.is_file():
        raise UsageError(f"{table[key].source}: {key}: {path} is no file")
    return path
