"""Settings: flag, then ``TREATY_<SECTION>__<KEY>``, then ``treaty.toml``, then default; each value knows where it came from."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from treaty.errors import UsageError

FILE = "treaty.toml"

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "project": {
        "namespace": "",
        "schemas": "schemas",
        "sdk": "sdk",
        "package": "events",
        "catalog": "",
        "references": "inline",
    },
    "lint": {"use": ["standard"], "except": [], "ignore": {}, "severity": {}},
    "breaking": {"use": ["wire", "meaning", "source", "docs", "policy"], "against": ["merge-base", "releases"]},
    "checks": {"cache": True},
    "governance": {"approvers": [], "pii_owner": "", "pii": []},
    "local": {"service": "", "services": ["*"], "ports": {}},
    "registry": {
        "host": "127.0.0.1",
        "port": 8081,
        "database": "sqlite:///.treaty/registry.db",
        "wire_profile": "8",
        "version_numbers": "confluent",
        "meaning": "off",
        "workers": 1,
        "tls_cert": "",
        "tls_key": "",
        "tls_ca": "",
        "jwks": "",
        "jwt_issuer": "",
        "jwt_audience": "",
        "jwt_groups_claim": "groups",
        "metrics_auth": False,
        "rate_limit": "",
        "cors_origins": [],
        "forwarded_allow_ips": [],
        "root_path": "",
        "max_body_bytes": 1_048_576,
        "max_schema_bytes": 524_288,
        "max_open_requests": 1_024,
    },
}
ENVIRONMENT_KEYS = frozenset(
    {
        "registry",
        "brokers",
        "expected_brokers",
        "acl",
        "security_protocol",
        "sasl_mechanism",
        "sasl_username",
        "ssl_ca_file",
    }
)
SECRET_KEYS = frozenset(
    {
        "registry_token", "registry_token_file",
        "sasl_password_file", "allow_plaintext_passwords", "ssl_certificate_file", "ssl_key_file",
    }
)  # fmt: skip
"""Taken from variables only: a file that somebody else wrote could name any file and any address to send it to."""
SECRET = re.compile(r"password|token|secret", re.IGNORECASE)
FILLABLE = "TREATY_VAR_"
"""How variables begin that ``${NAME}`` may take; all others are none of a project file's business."""
USER = re.compile(r"(?<=://)\S*@")  # up to the last @: a password may hold anything
PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Secret:
    """A text that is never printed; ``reveal`` gives it to whom it is for."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One setting: its value and its source (``default``, ``treaty.toml`` or a variable's name)."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one project, frozen. ``root`` is the folder of ``treaty.toml``; relative paths count from it."""

    root: Path
    values: Mapping[str, Mapping[str, Value]]
    environments: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None, env: Mapping[str, str], *, start: Path) -> Settings:
        """Reads ``path``, or the nearest ``treaty.toml`` upwards from ``start``.

        Raises ``UsageError`` for an unreadable file, an unknown key (with the nearest name) or a missing ``${NAME}``.
        """
        file = path or find(start)
        if file is None:
            raise UsageError(
                f"No {FILE} in {start} or above it.",
                next_step=f"cd to the project, name it with --config {FILE}, or begin one with an empty {FILE}",
            )
        tables = read(file)
        named = tables.pop("environment", {})
        require_table("[environment]", named)
        values = {section: merge(section, tables.pop(section, {}), env) for section in DEFAULTS}
        for section in tables:
            raise UsageError(f"{FILE}: unknown section [{section}]{nearest(section, [*DEFAULTS, 'environment'])}")
        environments = {name: environment(name, table, env) for name, table in named.items()}
        return cls(root=file.resolve().parent, values=values, environments=environments)

    def get(self, section: str, key: str) -> Any:
        """The effective value of ``[section] key``."""
        return self.values[section][key].value

    def folder(self, key: str) -> Path:
        """``[project] key`` as an absolute path."""
        return self.root / str(self.get("project", key))

    def of_environment(self, name: str) -> Mapping[str, Any]:
        """``[environment.name]`` as plain values; ``UsageError`` with the nearest name if there is none."""
        if name not in self.environments:
            known = ", ".join(self.environments)
            raise UsageError(
                f"{FILE} has no [environment.{name}]{nearest(name, list(self.environments))}",
                next_step=f"there are: {known}" if known else f"write [environment.{name}] into {FILE}",
            )
        return {key: value.value for key, value in self.environments[name].items()}

    def has_rights(self, name: str) -> bool:
        """Whether git keeps the rights on the cluster of ``[environment.name]``: its ``acl``, which is true or false."""
        table = self.environments.get(name, {})
        told = table["acl"] if "acl" in table else Value(value=False, source="default")
        if str(told.value).lower() not in {"true", "false"}:
            raise UsageError(f"{told.source}: [environment.{name}] acl is true or false, not `{told.value}`")
        return str(told.value).lower() == "true"

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """(name, value with secrets and the users of URLs as ``***``, source) of every setting, in order."""
        sections = {**self.values, **{f"environment.{name}": table for name, table in self.environments.items()}}
        for section, table in sections.items():
            for key, value in table.items():
                yield (
                    f"{section}.{key}",
                    "***" if SECRET.search(key) else shown(str(value.value)),
                    value.source,
                )


def shown(address: str) -> str:
    """A text as it may be printed: the user and the password of a URL as ``***``."""
    return USER.sub("***@", address)


def find(start: Path) -> Path | None:
    """``treaty.toml`` in ``start`` or above it, not above the repository's root."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if (folder / ".git").exists():
            return None
    return None


def read(file: Path) -> dict[str, Any]:
    """The tables of a settings file; ``UsageError`` if it cannot be read or is no TOML."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from error


def merge(section: str, table: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Value]:
    """Default, file and environment of one section, the strongest last; the type of the default holds."""
    require_table(f"[{section}]", table)
    defaults = DEFAULTS[section]
    for key, value in table.items():
        if key not in defaults:
            raise UsageError(f"{FILE}: [{section}] has no key `{key}`{nearest(key, list(defaults))}")
        if type(value) is not type(defaults[key]):
            raise UsageError(f"{FILE}: [{section}] {key} must be {describe(defaults[key])}, not {describe(value)}")
    merged = {key: Value(value=value, source="default") for key, value in defaults.items()}
    merged |= {key: Value(value=expand(value, env), source=FILE) for key, value in table.items()}
    for key in defaults:
        variable = f"TREATY_{section}__{key}".upper()
        if variable in env:
            merged[key] = Value(value=typed(env[variable], defaults[key], variable), source=variable)
    return merged


def require_table(name: str, table: object) -> None:
    """Raises ``UsageError`` for a section that is no table."""
    if not isinstance(table, dict):
        raise UsageError(f"{FILE}: {name} must be a table, not {describe(table)}")


def environment(name: str, table: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Value]:
    """File and variables of one ``[environment.NAME]``, the stronger last; ``UsageError`` for an unknown key."""
    require_table(f"[environment.{name}]", table)
    for key in table:
        if key in SECRET_KEYS:
            raise UsageError(
                f"{FILE}: [environment.{name}] {key}: secrets come from variables only.",
                next_step=f"export {variable_of(name, key)}=…",
            )
        if key not in ENVIRONMENT_KEYS:
            raise UsageError(f"{FILE}: [environment.{name}] has no key `{key}`{nearest(key, sorted(ENVIRONMENT_KEYS))}")
    values = {key: Value(value=expand(value, env), source=FILE) for key, value in table.items()}
    for key in sorted(ENVIRONMENT_KEYS | SECRET_KEYS):
        variable = variable_of(name, key)
        if variable in env:
            values[key] = Value(value=Secret(env[variable]) if key in SECRET_KEYS else env[variable], source=variable)
    return values


def variable_of(environment: str, key: str) -> str:
    """The variable that sets a key of ``[environment.NAME]``."""
    return f"TREATY_ENVIRONMENT_{environment}__{key}".upper().replace("-", "_")


def typed(text: str, default: Any, variable: str) -> Any:
    """A variable's text as the type of the setting's default: lists are separated by commas, tables are refused."""
    if isinstance(default, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise UsageError(f"{variable}: `{text}` is neither true nor false")
        return text.lower() == "true"
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError as error:
            raise UsageError(f"{variable}: `{text}` is not a whole number") from error
    if isinstance(default, dict):
        raise UsageError(f"{variable}: tables are set in {FILE} only")
    return text


def expand(value: Any, env: Mapping[str, str]) -> Any:
    """``${TREATY_VAR_NAME}`` once, not recursively; a missing variable is an error rather than an empty string."""

    def one(match: re.Match[str]) -> str:
        if not match[1].startswith(FILLABLE):
            raise UsageError(
                f"{FILE}: ${{{match[1]}}} is not for project files: addresses in them could carry any variable away.",
                next_step=f"write ${{{FILLABLE}{match[1]}}} and export it",
            )
        if match[1] not in env:
            raise UsageError(f"{FILE}: ${{{match[1]}}} is not set", next_step=f"export {match[1]}=…")
        return env[match[1]]

    if isinstance(value, str):
        return PLACEHOLDER.sub(one, value)
    if isinstance(value, list):
        return [expand(item, env) for item in value]
    return value


def nearest(name: str, known: Sequence[str]) -> str:
    """``: did you mean `x`?`` or a full stop."""
    close = difflib.get_close_matches(name, known, n=1)
    return f": did you mean `{close[0]}`?" if close else "."


def describe(value: Any) -> str:
    """The type of a value, for people who write TOML."""
    names = {
        str: "a text",
        int: "a whole number",
        bool: "true or false",
        list: "a list",
        dict: "a table",
        float: "a number",
    }
    return names.get(type(value), type(value).__name__)
