"""What each route needs, as one table; a route that nobody placed needs everything.

A reader's routes need nothing here: what may not be read is not there (``guarded``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from treaty.registry.access.grants import Role
from treaty.registry.wire.paths import Query

Where = Literal["subject", "everything"]


@dataclass(frozen=True, slots=True)
class Need:
    """A role, on the subject of the path or on everything. ``flags``: queries that make an admin's request of it."""

    action: str
    role: Role = Role.READER
    where: Where = "subject"
    flags: tuple[str, ...] = ()

    def with_flags(self, query: Query) -> Need:
        """The need of this request: an admin's, if one of the flags is ``true`` anywhere in the query."""
        asked = next((key for key, value in query if key in self.flags and value.lower() == "true"), None)
        return self if asked is None else Need(f"{self.action} with {asked}", Role.ADMIN, self.where)


OPEN_PATHS: Final = frozenset({"/", "/healthz", "/readyz", "/metrics"})
"""Answered to everybody, ``/metrics`` unless settings say otherwise."""

UNPLACED: Final = Need("use of this route", Role.ADMIN, "everything")

_READ: Final = Need("read")
_CONFIG: Final = Need("config", Role.ADMIN, "everything")
_MODE: Final = Need("mode", Role.ADMIN, "everything")

NEEDS: Final[Mapping[tuple[str, str], Need]] = {
    **{
        ("GET", path): _READ
        for path in (
            "/", "/healthz", "/readyz", "/metrics", "/master_available", "/v1/metadata/id", "/v1/metadata/version",
            "/v1/metadata/deployment",
            "/schemas", "/schemas/types", "/schemas/ids/{id}", "/schemas/ids/{id}/schema", "/schemas/ids/{id}/subjects",
            "/schemas/ids/{id}/versions", "/schemas/guids/{guid}", "/schemas/guids/{guid}/ids",
            "/subjects", "/subjects/{subject}/versions", "/subjects/{subject}/metadata",
            "/subjects/{subject}/versions/{version}", "/subjects/{subject}/versions/{version}/schema",
            "/subjects/{subject}/versions/{version}/referencedby", "/contexts",
            "/config", "/config/{subject}", "/mode", "/mode/{subject}",
            "/treaty/v1/subjects/{subject}/versions/{version}/provenance",
        )
    },
    **{
        ("POST", path): _READ
        for path in (
            "/", "/subjects/{subject}", "/compatibility/subjects/{subject}/versions",
            "/compatibility/subjects/{subject}/versions/{version}", "/treaty/v1/compatibility/subjects/{subject}",
        )
    },
    ("POST", "/subjects/{subject}/versions"): Need("register", Role.WRITER, flags=("force",)),
    ("DELETE", "/subjects/{subject}"): Need("delete", Role.MAINTAINER, flags=("permanent",)),
    ("DELETE", "/subjects/{subject}/versions/{version}"): Need("delete", Role.MAINTAINER, flags=("permanent",)),
    ("POST", "/treaty/v1/subjects/{subject}/versions/{version}/undelete"): Need("undelete", Role.MAINTAINER),
    ("PUT", "/config/{subject}"): Need("config", Role.MAINTAINER),
    ("DELETE", "/config/{subject}"): Need("config", Role.MAINTAINER),
    ("PUT", "/mode/{subject}"): Need("mode", Role.ADMIN),
    ("DELETE", "/mode/{subject}"): Need("mode", Role.ADMIN),
    ("PUT", "/config"): _CONFIG,
    ("DELETE", "/config"): _CONFIG,
    ("PUT", "/mode"): _MODE,
    ("DELETE", "/mode"): _MODE,
    ("DELETE", "/contexts/{context}"): Need("delete of a context", Role.ADMIN, "everything"),
    ("GET", "/treaty/v1/audit"): Need("audit", Role.ADMIN, "everything"),
}  # fmt: skip


def need_of(method: str, path: str, *, query: Query) -> Need:
    """What a request of this route (its template) needs."""
    return NEEDS.get((method, path), UNPLACED).with_flags(query)
