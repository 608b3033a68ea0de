"""What the registry server is told at its start, as one frozen object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from treaty.registry.errors import StartRefused

WireProfile = Literal["8", "7"]
VersionNumbers = Literal["confluent", "never_reuse"]

_LAST_PORT: Final = 65_535
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the registry takes in. Sizes in bytes; source: the table of limits in the registry's documentation."""

    body_bytes: int = 1_048_576
    schema_bytes: int = 524_288
    extras_bytes: int = 65_536
    references: int = 100
    reference_depth: int = 20
    reference_bytes: int = 4_194_304
    versions: int = 10_000
    waiting_requests: int = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """Where the registry listens, where it keeps its data, which Confluent version it answers like.

    ``database``: ``sqlite:///path``, ``postgresql://...`` or ``memory:``. ``migrate``: bring a Postgres database to our
    revision first (SQLite is always brought). ``port`` 0: any free one. ``version_numbers``: whether numbers of versions
    that were deleted for good come again, as Confluent's do, or never.
    """

    host: str = "127.0.0.1"
    port: int = 8081
    database: str = "sqlite:///.treaty/registry.db"
    migrate: bool = False
    wire_profile: WireProfile = "8"
    version_numbers: VersionNumbers = "confluent"
    insecure_no_auth: bool = False
    cluster_id: str = "treaty"
    cache_bytes: int = 67_108_864
    threads: int = 8
    limits: Limits = Limits()

    def require_safe_start(self) -> None:
        """Raise ``StartRefused`` if anyone on the network could change schemas without a name, or a setting makes no sense."""
        if not 0 <= self.port <= _LAST_PORT:
            raise StartRefused(f"{self.port} is no port; give a number from 0 to {_LAST_PORT}.", exit_code=2)
        if self.wire_profile not in get_args(WireProfile):
            raise StartRefused(f"There is no wire profile {self.wire_profile}; write 8 or 7.", exit_code=2)
        if self.version_numbers not in get_args(VersionNumbers):
            raise StartRefused(
                f"Version numbers cannot be counted as {self.version_numbers}; write confluent or never_reuse.",
                exit_code=2,
            )
        if self.host not in _LOOPBACK and not self.insecure_no_auth:
            raise StartRefused(
                f"No credentials are configured, so the registry listens on 127.0.0.1 only, not on {self.host}. "
                "Leave --host out, or pass --insecure-no-auth where everyone who can reach the port may change schemas.",
                exit_code=2,
            )
