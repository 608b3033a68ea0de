"""``/treaty/v1``: what Confluent's registry does not have."""

from __future__ import annotations

from typing import Final

from treaty.registry.http.bodies import version_body
from treaty.registry.http.call import Call, Route
from treaty.registry.http.explained import explanation_body
from treaty.registry.rows import Json


def explain(call: Call) -> Json:
    """Judge a schema, and say of each break where it is, who fails and how to mend it."""
    found = call.service.explaining.explain(call.meant, call.schema_request(), normalize=call.flag("normalize"))
    return explanation_body(found)


def undelete(call: Call) -> Json:
    """Take the soft delete of a version back, if it is still compatible."""
    number = call.version
    return version_body(call.service.restoring.version(call.meant, number), profile=call.profile)


def read_provenance(call: Call) -> Json:
    """Where a version came from, as its registration said (``commit``, ``pr``, ``by``)."""
    number = call.version
    text = call.service.reading.provenance(call.meant, number)
    pairs = (each.partition("=") for each in text.split(";") if "=" in each)
    return {key.strip(): value.strip() for key, _, value in pairs}


_VERSION: Final = "/treaty/v1/subjects/{subject}/versions/{version}"
ROUTES: Final = (
    Route("POST", "/treaty/v1/compatibility/subjects/{subject}", explain),
    Route("POST", f"{_VERSION}/undelete", undelete),
    Route("GET", f"{_VERSION}/provenance", read_provenance),
)
