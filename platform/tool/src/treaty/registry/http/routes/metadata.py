"""``/v1/metadata`` and ``/``: who answers."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from treaty.registry.http.call import Call, Route
from treaty.registry.rows import Json

_VERSIONS: Final = {"8": "8.2.0-treaty", "7": "7.9.0-treaty"}


def root(_call: Call) -> Json:
    """Nothing but a sign of life."""
    return {}


def server_id(call: Call) -> Json:
    """Which cluster this registry belongs to."""
    clusters = {"kafka-cluster": call.service.settings.cluster_id, "schema-registry-cluster": "treaty"}
    return {"id": "", "scope": {"path": [], "clusters": clusters}}


def server_version(call: Call) -> Json:
    """Which Confluent version is answered like, and our own."""
    return {"version": _VERSIONS[call.profile], "commitId": version("treaty")}


def server_deployment(_call: Call) -> Json:
    """What kind of deployment this is: none of the kinds that Confluent names."""
    return {"attributes": []}


ROUTES: Final = (
    Route("GET", "/", root),
    Route("POST", "/", root),
    Route("GET", "/v1/metadata/id", server_id),
    Route("GET", "/v1/metadata/version", server_version),
    Route("GET", "/v1/metadata/deployment", server_deployment),
)
