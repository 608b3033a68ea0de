"""What the registry server is told at its start, as one frozen object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from treaty.registry.access.bucket import Rate
from treaty.registry.access.issuer import Issuer, is_private
from treaty.registry.errors import StartRefused

WireProfile = Literal["8", "7"]
VersionNumbers = Literal["confluent", "never_reuse"]
Meaning = Literal["off", "refuse"]

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
_ROOT: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
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
    types_and_fields: int = 10_000
    versions: int = 10_000
    waiting_requests: int = 256
    open_requests: int = 1_024
    body_seconds: float = 30.0
    head_seconds: float = 30.0
    unread_bytes: int = 134_217_728
    unread_seconds: float = 30.0


LIMITS: Final[Mapping[str, str]] = {
    "max_body_bytes": "body_bytes",
    "max_schema_bytes": "schema_bytes",
    "max_open_requests": "open_requests",
}
"""Limits that can be set, by the names of their settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """Where the registry listens, where it keeps its data, which Confluent version it answers like.

    ``database``: ``sqlite:///path``, ``postgresql://...`` or ``memory:``. ``migrate``: bring a Postgres database to our
    revision first (SQLite is always brought). ``port`` 0: any free one. ``version_numbers``: whether numbers of versions
    that were deleted for good come again, as Confluent's do, or never. ``meaning``: whether a schema that changes what bytes
    mean (a scale, a unit) is refused like one that cannot be read.

    ``insecure_no_auth``: listen beyond loopback although nobody has credentials. ``jwks``, ``jwt_issuer``, ``jwt_audience``:
    whose JSON Web Tokens are believed (``jwks.Issuer``). ``rate_limit``: what each principal may ask of each process,
    ``100/second``; empty: no limit. ``cors_origins``: exact origins of pages. ``forwarded_allow_ips``: proxies whose word
    counts for where a request came from. ``root_path``: what they leave before every path
    (``/registry``). ``tls_ca``: clients need a certificate of this authority.
    """

    host: str = "127.0.0.1"
    port: int = 8081
    database: str = "sqlite:///.treaty/registry.db"
    migrate: bool = False
    wire_profile: WireProfile = "8"
    version_numbers: VersionNumbers = "confluent"
    meaning: Meaning = "off"
    insecure_no_auth: bool = False
    cluster_id: str = "treaty"
    cache_bytes: int = 67_108_864
    threads: int = 8
    limits: Limits = Limits()
    workers: int = 1
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    jwks: str = ""
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_groups_claim: str = "groups"
    metrics_auth: bool = False
    rate_limit: str = ""
    cors_origins: tuple[str, ...] = ()
    forwarded_allow_ips: tuple[str, ...] = ()
    root_path: str = ""

    @classmethod
    def told(cls, values: Mapping[str, Any]) -> RegistrySettings:
        """Settings by name; those of ``LIMITS`` go into the limits."""
        limits = Limits(**{LIMITS[key]: value for key, value in values.items() if key in LIMITS})
        return cls(limits=limits, **{key: value for key, value in values.items() if key not in LIMITS})

    @property
    def is_loopback(self) -> bool:
        """True if only this machine can reach the registry."""
        return self.host in _LOOPBACK

    @property
    def issuer(self) -> Issuer | None:
        """Whose JSON Web Tokens are believed; None: nobody's."""
        if not self.jwks:
            return None
        return Issuer(
            jwks=self.jwks, issuer=self.jwt_issuer, audience=self.jwt_audience, groups_claim=self.jwt_groups_claim
        )

    def require_sense(self) -> None:
        """Raise ``StartRefused`` if a setting makes no sense, or none beside another."""
        if not 0 <= self.port <= _LAST_PORT:
            raise StartRefused(f"{self.port} is no port; give a number from 0 to {_LAST_PORT}.", exit_code=2)
        if self.wire_profile not in get_args(WireProfile):
            raise StartRefused(f"There is no wire profile {self.wire_profile}; write 8 or 7.", exit_code=2)
        if self.version_numbers not in get_args(VersionNumbers):
            raise StartRefused(
                f"Version numbers cannot be counted as {self.version_numbers}; write confluent or never_reuse.",
                exit_code=2,
            )
        if self.meaning not in get_args(Meaning):
            raise StartRefused(
                f"Changes of meaning are not treated as {self.meaning}; write off or refuse.", exit_code=2
            )
        self._require_whole_access()
        if min(self.limits.body_bytes, self.limits.schema_bytes, self.limits.open_requests) < 1:
            raise StartRefused("A limit of nothing would let nobody in; give a number from 1.", exit_code=2)
        if self.workers < 1 or (self.workers > 1 and self.database == "memory:"):
            raise StartRefused(
                "Several workers need a database that they share, and there is at least one; leave --workers out.",
                exit_code=2,
            )

    def require_credentials(self, *, are_there: bool) -> None:
        """Raise ``StartRefused`` if anyone on the network could change schemas without a name."""
        if not (self.is_loopback or self.insecure_no_auth or are_there or self.jwks):
            raise StartRefused(
                f"No credentials are configured, so the registry listens on 127.0.0.1 only, not on {self.host}. "
                "Make some with `treaty registry users add`, leave --host out, or pass --insecure-no-auth where everyone "
                "who can reach the port may change schemas.",
                exit_code=2,
            )

    def _require_whole_access(self) -> None:
        if bool(self.tls_cert) != bool(self.tls_key) or (self.tls_ca and not self.tls_cert):
            raise StartRefused("TLS needs both --tls-cert and --tls-key.", exit_code=2)
        if self.jwks and not (self.jwt_issuer and self.jwt_audience):
            raise StartRefused(
                "Tokens of an issuer need jwt_issuer and jwt_audience beside jwks: without them every token of that "
                "issuer would be let in.",
                exit_code=2,
            )
        if not is_private(self.jwks):
            raise StartRefused(
                "The keys of jwks must come over https, or from this machine, or from a file.", exit_code=2
            )
        if self.rate_limit:
            try:
                Rate.parse(self.rate_limit)
            except ValueError as error:
                raise StartRefused(str(error), exit_code=2) from error
        if not _ROOT.fullmatch(self.root_path):
            raise StartRefused(f"{self.root_path!r} is no path to stand before others; write /registry.", exit_code=2)
        for origin in self.cors_origins:
            if not _ORIGIN.fullmatch(origin):
                raise StartRefused(f"{origin!r} is no origin; write https://host or https://host:port.", exit_code=2)
